/** Occurrences of an answer: their key in an address, and all of them for its picture. */

import { done, type Outcome } from '../../api/call';
import { city } from '../city';
import { historyPath, type Question, type Range } from '../question';
import type { AlarmHistory, Occurrence } from '../shape';

export const occurrenceKey = (one: Occurrence): string => `${one.site}/${one.alarm}/${one.occurrence}/${one.raised_ms}`;

/** Rows of one call, and calls of one picture: beyond their product the picture says that it is of the newest alone. */
const ROWS = 1_000;
const CALLS = 5;
export const PICTURE_MAX = ROWS * CALLS;

/** Every occurrence of the answer, as far as the bound goes; `first` is it already where it holds all. */
export async function allOf(question: Question, range: Range, first: AlarmHistory, abort: AbortSignal): Promise<Outcome<readonly Occurrence[]>> {
  if (first.next_cursor === null) return done(first.occurrences);
  const found: Occurrence[] = [];
  let cursor: string | null = null;
  for (let asked = 0; asked < CALLS; asked++) {
    const page: Outcome<AlarmHistory> = await city.get<AlarmHistory>(historyPath(question, range, { cursor, limit: ROWS }), abort);
    if (!page.ok) return page;
    found.push(...page.value.occurrences);
    cursor = page.value.next_cursor;
    if (cursor === null) break;
  }
  return done(found);
}
