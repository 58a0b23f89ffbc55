/**
 * Series of different times become columns on one axis, as uPlot draws them: a number, `null` for a gap (the line breaks), `undefined` where another
 * series alone has a time (the line goes on).
 */

import type { Series } from '../api/shape';

/** At most this many series on one trend: as many as there are colours that are told apart. */
export const LINES_MAX = 10;

export type Cell = number | null | undefined;

export interface Columns {
  /** Seconds, rising. */
  time_s: number[];
  /** Per series: mean, min, max. */
  cells: { mean: Cell[]; min: Cell[]; max: Cell[] }[];
}

/** How often a point is sent at the least, where its site does not say. */
const HEARTBEAT_MS = 60_000;

/** A series, and how often its point is sent at the least. */
export interface Sent {
  series: Series;
  heartbeat_ms?: number | null | undefined;
}

/**
 * How far apart two readings, or buckets, may be with nothing missing between them: a heartbeat and a half; of buckets those that a heartbeat skips. The printed
 * page of a case holds to the same (`cloud/src/case/chart.rs`).
 */
function apart({ series, heartbeat_ms }: Sent): number {
  const heartbeat = heartbeat_ms ?? HEARTBEAT_MS;
  return series.step_ms > 0 ? series.step_ms + heartbeat : heartbeat * 1.5;
}

export function columns(all: readonly Sent[]): Columns {
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
function points(sent: Sent): Map<number, Triple> {
  const { series } = sent;
  const marks = new Map<number, Triple>();
  const gap = apart(sent);
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
export function doubtful(sent: Sent): Span[] {
  const { series } = sent;
  const spans: Span[] = [];
  series.time_ms.forEach((time, place) => {
    if ((series.good[place] ?? 0) >= 1) return;
    const next = series.time_ms[place + 1];
    const end = series.step_ms > 0 ? time + series.step_ms : Math.min(next ?? time + 1000, time + apart(sent));
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
export function at(sent: Sent, time_ms: number): number | null {
  const { series } = sent;
  let [low, high] = [0, series.time_ms.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((series.time_ms[middle] ?? 0) <= time_ms) low = middle + 1;
    else high = middle - 1;
  }
  const found = series.time_ms[high];
  if (found === undefined) return null;
  return time_ms - found <= apart(sent) ? high : null;
}

/** How far a series went: in the bucket under the cursor, or without one in all that is shown. None where nothing good was read, nor under the cursor among raw readings. */
export function extent(sent: Sent, time_ms: number | null): { min: number; max: number } | null {
  const { series } = sent;
  const place = time_ms === null ? null : at(sent, time_ms);
  if (time_ms !== null && (place === null || series.step_ms === 0)) return null;
  const [from, to] = place === null ? [0, series.min.length] : [place, place + 1];
  const known = (figures: readonly (number | null)[]): number[] => figures.slice(from, to).filter((figure) => figure !== null);
  const [lows, highs] = [known(series.min), known(series.max)];
  if (lows.length === 0 || highs.length === 0) return null;
  return { min: lows.reduce((one, other) => Math.min(one, other)), max: highs.reduce((one, other) => Math.max(one, other)) };
}
