/** The period of the figures as its address holds it: the last so many days, or from one moment to another. */

const DAY_MS = 86_400_000;
/** The longest that the daemons reckon. */
const MOST_MS = 92 * DAY_MS;
export const DAYS: readonly number[] = [1, 7, 30];
const OTHERWISE = 1;

export type Period = { kind: 'last'; days: number } | { kind: 'fixed'; from_ms: number; to_ms: number };

export function readPeriod(parameters: URLSearchParams): Period {
  const [from_ms, to_ms] = [whole(parameters.get('from')), whole(parameters.get('to'))];
  if (from_ms !== null && to_ms !== null) return { kind: 'fixed', from_ms, to_ms };
  const days = whole(parameters.get('days'));
  return { kind: 'last', days: days !== null && DAYS.includes(days) ? days : OTHERWISE };
}

export function spanOf(period: Period, now_ms: number): { from_ms: number; to_ms: number } {
  if (period.kind === 'fixed') return period;
  return { from_ms: Math.round(now_ms - period.days * DAY_MS), to_ms: Math.round(now_ms) };
}

/** False for what no daemon answers: such a question is not sent. */
export const isPeriod = ({ from_ms, to_ms }: { from_ms: number; to_ms: number }): boolean => from_ms < to_ms && to_ms - from_ms <= MOST_MS;

function whole(text: string | null): number | null {
  if (text === null || !/^\d+$/.test(text)) return null;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : null;
}
