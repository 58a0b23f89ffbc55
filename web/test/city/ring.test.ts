import { expect, test } from 'vitest';
import type { Alarm, AlarmState, Priority } from '../../src/api/shape';
import { hornOf, silence, stillSilenced } from '../../src/city/ring';

const alarm = (id: string, priority: Priority, state: AlarmState = 'UNACK', occurrence = 1): Alarm => ({ site: 's', id, priority, state, occurrence, condition: 'H', active: true }) as Alarm;

test('the horn sounds for the worst alarm that waits, also for one that went away unacknowledged', () => {
  expect(hornOf([alarm('a', 3), alarm('b', 1, 'RTNUN')], null)).toEqual({ sounding: true, priority: 1, silenced: false });
  expect(hornOf([alarm('a', 3, 'ACKED'), alarm('b', 1, 'SHLVD')], null)).toEqual({ sounding: false, priority: null, silenced: false });
});

test('silence holds for what was there and for a new P3, and ends on a new P1 or P2', () => {
  const before = [alarm('a', 1)];
  const silenced = silence(before);
  expect(hornOf(before, silenced)).toMatchObject({ sounding: false, silenced: true });
  expect(hornOf([...before, alarm('b', 3)], silenced).sounding).toBe(false);
  expect(hornOf([...before, alarm('b', 2)], silenced).sounding).toBe(true);
  expect(hornOf([alarm('a', 1, 'UNACK', 2)], silenced).sounding).toBe(true);
});

test('an alarm that was acknowledged and asks again sounds again', () => {
  const silenced = silence([alarm('a', 1), alarm('b', 3)]);
  const after = stillSilenced([alarm('a', 1, 'ACKED'), alarm('b', 3)], silenced);
  expect(after).not.toBeNull();
  expect(hornOf([alarm('a', 1), alarm('b', 3)], after).sounding).toBe(true);
});

test('silence ends when nothing is left to sound', () => {
  const silenced = silence([alarm('a', 3)]);
  expect(stillSilenced([alarm('a', 3, 'ACKED')], silenced)).toBeNull();
});
