/** The range of a trend as its address holds it: the last so many minutes, or from one moment to another. */

export const DAY_MS = 86_400_000;

export type Range = { kind: 'last'; minutes: number } | { kind: 'fixed'; from_ms: number; to_ms: number };

/** Minutes that one press chooses. */
export const SPANS: readonly number[] = [10, 30, 120, 480, 1440, 10_080];
const OTHERWISE = 120;
/** Longer than this no journal of a plant reaches. */
const LONGEST_MINUTES = 400 * 1440;

export function readRange(parameters: URLSearchParams): Range {
  const [from_ms, to_ms] = [number(parameters.get('from')), number(parameters.get('to'))];
  if (from_ms !== null && to_ms !== null && to_ms > from_ms) return { kind: 'fixed', from_ms, to_ms };
  const minutes = number(parameters.get('span'));
  return { kind: 'last', minutes: minutes !== null && minutes >= 1 && minutes <= LONGEST_MINUTES ? minutes : OTHERWISE };
}

export function rangeOf(range: Range, now_ms: number): { from_ms: number; to_ms: number } {
  if (range.kind === 'fixed') return range;
  return { from_ms: now_ms - range.minutes * 60_000, to_ms: now_ms };
}

/** The range before or after, half overlapping, so that the eye keeps its place. */
export function beside(range: Range, now_ms: number, way: -1 | 1): { from_ms: number; to_ms: number } {
  const { from_ms, to_ms } = rangeOf(range, now_ms);
  const by = ((to_ms - from_ms) / 2) * way;
  return { from_ms: Math.round(from_ms + by), to_ms: Math.round(to_ms + by) };
}

function number(text: string | null): number | null {
  const value = text === null || text === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
