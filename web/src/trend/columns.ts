/**
 * Series of different times become columns on one axis, as uPlot draws them: a number, `null` for a gap (the line breaks), `undefined` where another
 * series alone has a time (the line goes on).
 */

import type { Series } from '../api/shape';

export type Cell = number | null | undefined;

export interface Columns {
  /** Seconds, rising. */
  time_s: number[];
  /** Per series: mean, min, max. */
  cells: { mean: Cell[]; min: Cell[]; max: Cell[] }[];
}

/** Raw readings come at least once in a heartbeat of a minute: more than this between two is a gap of record. */
const RAW_GAP_MS = 90_000;

/** A distance of more than this many steps between two buckets means that one is missing. */
const GAP_STEPS = 1.5;

export function columns(all: readonly Series[]): Columns {
  const marks = all.map(points);
  const times = [...new Set(marks.flatMap((mark) => [...mark.keys()]))].sort((a, b) => a - b);
  return {
    time_s: times.map((time) => time / 1000),
    cells: marks.map((mark) => ({
      mean: times.map((time) => mark.get(time)?.[0]),
      min: times.map((time) => mark.get(time)?.[1]),
      max: times.map((time) => mark.get(time)?.[2]),
    })),
  };
}

type Triple = [number | null, number | null, number | null];
const NOTHING: Triple = [null, null, null];

/** One series by time, with a `null` put into each gap. */
function points(series: Series): Map<number, Triple> {
  const marks = new Map<number, Triple>();
  const gap = series.step_ms > 0 ? series.step_ms * GAP_STEPS : RAW_GAP_MS;
  series.time_ms.forEach((time, place) => {
    const before = series.time_ms[place - 1];
    if (before !== undefined && time - before > gap) marks.set(before + (series.step_ms || 1), NOTHING);
    marks.set(time, [series.mean[place] ?? null, series.min[place] ?? null, series.max[place] ?? null]);
  });
  return marks;
}

export interface Span {
  from_ms: number;
  to_ms: number;
  /** The cause of what is missing or doubtful. */
  cause: string | null;
}

/** Where a series has no good value (hatched), neighbours joined. A bucket that is good only in part counts: doubt is drawn, not hidden. */
export function doubtful(series: Series): Span[] {
  const spans: Span[] = [];
  series.time_ms.forEach((time, place) => {
    if ((series.good[place] ?? 0) >= 1) return;
    const next = series.time_ms[place + 1];
    const end = series.step_ms > 0 ? time + series.step_ms : Math.min(next ?? time + 1000, time + RAW_GAP_MS);
    const last = spans.at(-1);
    const cause = series.cause[place] ?? null;
    if (last && last.to_ms >= time && last.cause === cause) last.to_ms = end;
    else spans.push({ from_ms: time, to_ms: end, cause });
  });
  return spans;
}

/** The same day before, laid over this one: a series whose times are moved. */
export function moved(series: Series, by_ms: number): Series {
  return { ...series, time_ms: series.time_ms.map((time) => time + by_ms) };
}

/** What a series says at a moment: the bucket that holds it, or the last raw reading before it; null in a gap. */
export function at(series: Series, time_ms: number): number | null {
  let [low, high] = [0, series.time_ms.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((series.time_ms[middle] ?? 0) <= time_ms) low = middle + 1;
    else high = middle - 1;
  }
  const found = series.time_ms[high];
  if (found === undefined) return null;
  return time_ms - found <= (series.step_ms > 0 ? series.step_ms * GAP_STEPS : RAW_GAP_MS) ? high : null;
}

/** How far a series went: in the bucket under the cursor, or without one in all that is shown. None where nothing good was read, nor under the cursor among raw readings. */
export function extent(series: Series, time_ms: number | null): { min: number; max: number } | null {
  const place = time_ms === null ? null : at(series, time_ms);
  if (time_ms !== null && (place === null || series.step_ms === 0)) return null;
  const [from, to] = place === null ? [0, series.min.length] : [place, place + 1];
  const known = (figures: readonly (number | null)[]): number[] => figures.slice(from, to).filter((figure) => figure !== null);
  const [lows, highs] = [known(series.min), known(series.max)];
  if (lows.length === 0 || highs.length === 0) return null;
  return { min: lows.reduce((one, other) => Math.min(one, other)), max: highs.reduce((one, other) => Math.max(one, other)) };
}
