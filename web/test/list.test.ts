import { expect, test } from 'vitest';
import { bodyHeight, held, reveal, sight } from '../src/alarm/window';

test('only rows in sight and a few beyond are drawn', () => {
  const { from, to } = sight(4800, 480, 48, 1000);
  expect(from).toBe(94);
  expect(to).toBe(116);
  expect(sight(0, 480, 48, 3)).toEqual({ from: 0, to: 3 });
  expect(sight(9999, 480, 48, 2)).toEqual({ from: 2, to: 2 });
});

test('rows that come above ask for as much scroll, and rows below for none', () => {
  expect(held(['a', 'b'], ['x', 'y', 'a', 'b'], 'a', 48)).toBe(96);
  expect(held(['a', 'b', 'c'], ['a', 'b', 'c', 'd'], 'b', 48)).toBe(0);
  expect(held(['a'], ['x', 'a'], 'a', 48)).toBe(48);
});

test('the list does not run after a row that goes to a new place alone, nor stumble over one that left', () => {
  expect(held(['a', 'b', 'c', 'd', 'e'], ['a', 'c', 'd', 'e', 'b'], 'b', 48)).toBe(0);
  expect(held(['a', 'b', 'c'], ['a', 'c'], 'b', 48)).toBe(0);
  expect(held(['a', 'b'], [], 'a', 48)).toBe(0);
  expect(held(['a', 'b'], ['b', 'a'], 'gone', 48)).toBe(0);
});

test('a row out of sight is brought in by the least scroll', () => {
  expect(reveal(0, 100, 480, 48)).toBe(0);
  expect(reveal(20, 0, 480, 48)).toBe(528);
  expect(reveal(3, 0, 480, 48)).toBe(0);
});

test('a short list has room below while rows came above what is held, and never scrolls its last row away', () => {
  const at = (rows: number, scroll_px: number, above: number): number => bodyHeight(rows, { row_px: 48, height_px: 480, scroll_px, above });
  expect(at(5, 0, 0)).toBe(240);
  expect(at(5, 96, 2)).toBe(576);
  expect(at(5, 5000, 500)).toBe(4 * 48 + 480);
  expect(at(100, 96, 2)).toBe(4800);
  expect(at(0, 96, 2)).toBe(0);
});
