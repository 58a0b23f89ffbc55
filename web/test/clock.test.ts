import { expect, test } from 'vitest';
import { absolute, dateTime, duration, fromField, span, timeOfDay, toField } from '../src/clock/format';

/** 2026-11-25 14:03:27.250 at +08:00. */
const MOMENT = Date.UTC(2026, 10, 25, 6, 3, 27, 250);

test('times are of the plant, whatever zone this machine has', () => {
  expect(timeOfDay(MOMENT)).toBe('14:03:27');
  expect(dateTime(MOMENT)).toBe('2026-11-25 14:03:27');
});

test('the day is shown where it is not today, also across the midnight of +08:00', () => {
  const midnight = Date.UTC(2026, 10, 24, 16);
  expect(absolute(midnight, MOMENT)).toBe('00:00:00');
  expect(absolute(midnight - 1000, MOMENT)).toBe('11-24 23:59:59');
});

test('a span is one number with its unit, a duration is whole', () => {
  expect(span(90_000)).toEqual({ count: 1, unit: 'minute' });
  expect(span(-5)).toEqual({ count: 0, unit: 'second' });
  expect(span(47 * 3_600_000)).toEqual({ count: 47, unit: 'hour' });
  expect(span(48 * 3_600_000)).toEqual({ count: 2, unit: 'day' });
  expect(duration(42_000)).toBe('0:42');
  expect(duration(11_525_000)).toBe('3:12:05');
});

test('a field of date and time reads back what it was given', () => {
  expect(fromField(toField(MOMENT))).toBe(MOMENT - 27_250);
  expect(fromField('soon')).toBeNull();
});
