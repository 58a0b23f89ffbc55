import { expect, test } from 'vitest';
import { decimal } from '../src/value/decimal';

test('a figure has the decimals of its instrument, and nothing has no sign', () => {
  expect(decimal(12.34, 1)).toBe('12.3');
  expect(decimal(-0.04, 1)).toBe('0.0');
  expect(decimal(-0.06, 1)).toBe('-0.1');
  expect(decimal(0, 0)).toBe('0');
});
