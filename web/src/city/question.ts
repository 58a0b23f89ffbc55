/** A question to the record: as it stands in an address, as the interface takes it, and as the link of its export. */

import { query } from '../api/call';
import { CONDITIONS, PRIORITIES, type Condition, type Priority } from '../api/shape';
import { ZONE_NAME } from '../clock/format';
import type { Language } from '../i18n/language';

export const DAY_MS = 86_400_000;
const MINUTES_MAX = 366 * 1_440;

/** A question about the last days moves with the clock; one about two moments does not. */
export interface Question {
  site: string | null;
  town: string | null;
  conditions: readonly Condition[];
  priorities: readonly Priority[];
  /** Used where `from_ms` and `to_ms` are null. */
  days: number;
  from_ms: number | null;
  to_ms: number | null;
  /** Only what waited longer than this for an acknowledgement, seconds. */
  over_s: number | null;
}

export const DAYS_CHOICES: readonly number[] = [1, 7, 30, 365];
const DAYS_OTHERWISE = 7;

export function readQuestion(parameters: URLSearchParams): Question {
  const list = (name: string): string[] => (parameters.get(name) ?? '').split(',').filter(Boolean);
  return {
    site: parameters.get('site'),
    town: parameters.get('town'),
    conditions: CONDITIONS.filter((condition) => list('condition').includes(condition)),
    priorities: PRIORITIES.filter((priority) => list('priority').includes(String(priority))),
    days: whole(parameters.get('days'), 1, 3_660) ?? DAYS_OTHERWISE,
    from_ms: whole(parameters.get('from'), 0, Number.MAX_SAFE_INTEGER),
    to_ms: whole(parameters.get('to'), 0, Number.MAX_SAFE_INTEGER),
    over_s: whole(parameters.get('over'), 0, MINUTES_MAX * 60),
  };
}

/** A whole number of an address within its bounds; null for anything else. */
export function whole(text: string | null, least: number, most: number): number | null {
  if (text === null || !/^\d+$/.test(text)) return null;
  const number = Number(text);
  return number >= least && number <= most ? number : null;
}

export interface Range {
  from_ms: number;
  to_ms: number;
}

/** The span asked for. The last days end a day after now: an alarm of a gateway whose clock runs ahead is one of them. */
export function rangeOf(question: Question, now_ms: number): Range {
  if (question.from_ms !== null) return { from_ms: question.from_ms, to_ms: question.to_ms ?? now_ms + DAY_MS };
  return { from_ms: now_ms - question.days * DAY_MS, to_ms: question.to_ms ?? now_ms + DAY_MS };
}

/** False where it ends before it begins: such a question is not sent. */
export const isSpan = ({ from_ms, to_ms }: Range): boolean => from_ms < to_ms;

function asked(question: Question, range: Range): Record<string, string | number | null> {
  return {
    site: question.site,
    town: question.town,
    condition: question.conditions.join(','),
    priority: question.priorities.join(','),
    from_ms: Math.round(range.from_ms),
    to_ms: Math.round(range.to_ms),
    unacknowledged_over_s: question.over_s,
  };
}

export const historyPath = (question: Question, range: Range, page: { cursor?: string | null; limit: number }): string =>
  `/api/history/alarms?${query({ ...asked(question, range), cursor: page.cursor ?? null, limit: page.limit })}`;

export const readingsCsvLink = (site: string, points: readonly string[], range: Range, language: Language): string =>
  `/api/sites/${encodeURIComponent(site)}/readings.csv?${query({ points: points.join(','), from_ms: Math.round(range.from_ms), to_ms: Math.round(range.to_ms), zone: ZONE_NAME, lang: language })}`;
