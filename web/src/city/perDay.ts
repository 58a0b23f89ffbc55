/** The picture of an answer: occurrences by day and priority, in the site's own days. And gaps put among the rows where they belong. */

import { PRIORITIES, type Priority } from '../api/shape';
import { ZONE_MINUTES } from '../clock/format';
import { DAY_MS, type Range } from './question';
import type { Gap, Occurrence } from './shape';

/** More columns than this say less than fewer: then a column is several days. */
const COLUMNS_MAX = 62;

export interface Column {
  from_ms: number;
  to_ms: number;
  /** In the order of PRIORITIES. */
  counts: number[];
  total: number;
  /** Some of this time is a gap of record: the count may be short. */
  gap: boolean;
}

const ZONE_MS = ZONE_MINUTES * 60_000;
/** Midnight of the site's day. */
export const dayStart = (ms: number): number => Math.floor((ms + ZONE_MS) / DAY_MS) * DAY_MS - ZONE_MS;

export function columnsOf(occurrences: readonly Pick<Occurrence, 'raised_ms' | 'priority'>[], gaps: readonly Gap[], range: Range, now_ms: number): Column[] {
  const begin = dayStart(range.from_ms);
  const days = Math.max(1, Math.ceil((Math.min(range.to_ms, Math.max(now_ms, range.from_ms + 1)) - begin) / DAY_MS));
  const step_ms = Math.ceil(days / COLUMNS_MAX) * DAY_MS;
  const columns = Array.from({ length: Math.ceil((days * DAY_MS) / step_ms) }, (_, place): Column => {
    const from_ms = begin + place * step_ms;
    const gap = gaps.some((one) => one.from_ms < from_ms + step_ms && (one.to_ms ?? now_ms) > from_ms);
    return { from_ms, to_ms: from_ms + step_ms, counts: PRIORITIES.map(() => 0), total: 0, gap };
  });
  for (const { raised_ms, priority } of occurrences) count(columns[Math.floor((raised_ms - begin) / step_ms)] ?? columns.at(-1), priority);
  return columns;
}

function count(column: Column | undefined, priority: Priority): void {
  if (!column) return;
  column.counts[priority - 1] = (column.counts[priority - 1] ?? 0) + 1;
  column.total += 1;
}

export type Row = { occurrence: Occurrence } | { gap: Gap };

/** Occurrences, newest first, with each gap before the first that is older than its beginning. While pages are still to come, older gaps wait for theirs. */
export function rowsOf(occurrences: readonly Occurrence[], gaps: readonly Gap[], whole: boolean): Row[] {
  const oldest = occurrences.at(-1)?.raised_ms ?? -Infinity;
  const due = gaps.filter((gap) => whole || gap.from_ms >= oldest).map((gap) => ({ at: gap.from_ms, row: { gap } as Row }));
  const rows = occurrences.map((occurrence) => ({ at: occurrence.raised_ms, row: { occurrence } as Row }));
  return [...rows, ...due].sort((a, b) => b.at - a.at).map(({ row }) => row);
}

/** How much of a span is on record, 0…1; gaps may overlap. */
export function coverage(gaps: readonly Gap[], range: Range, now_ms: number): number {
  const end = Math.min(range.to_ms, now_ms);
  if (end <= range.from_ms) return 1;
  let [missing, reached] = [0, range.from_ms];
  for (const gap of [...gaps].sort((a, b) => a.from_ms - b.from_ms)) {
    const from = Math.max(gap.from_ms, reached);
    const to = Math.min(gap.to_ms ?? now_ms, end);
    if (to <= from) continue;
    missing += to - from;
    reached = to;
  }
  return 1 - missing / (end - range.from_ms);
}
