import { expect, test } from 'vitest';
import { held, reveal, sight } from '../src/alarm/window';

test('only rows in sight and a few beyond are drawn', () => {
  const { from, to } = sight(4800, 480, 48, 1000);
  expect(from).toBe(94);
  expect(to).toBe(116);
  expect(sight(0, 480, 48, 3)).toEqual({ from: 0, to: 3 });
  expect(sight(9999, 480, 48, 2)).toEqual({ from: 2, to: 2 });
});

test('a row that slid down by two rows asks for as much scroll, and one that left asks for none', () => {
  expect(held(['a', 'b'], ['x', 'y', 'a', 'b'], 'a', 48)).toBe(96);
  expect(held(['a', 'b'], ['b'], 'a', 48)).toBeNull();
  expect(held(['a'], ['a', 'b'], 'a', 48)).toBeNull();
});

test('a row out of sight is brought in by the least scroll', () => {
  expect(reveal(0, 100, 480, 48)).toBe(0);
  expect(reveal(20, 0, 480, 48)).toBe(528);
  expect(reveal(3, 0, 480, 48)).toBe(0);
});
