import { expect, test } from 'vitest';
import { complete } from '../../src/city/complete';
import type { CitySite } from '../../src/city/shape';

test('a description of another maker gets what a screen cannot do without, and keeps what it has', () => {
  const bare = { id: 'P', low: null, high: null, decimals: null, limits: [{ alarm: 'P.H', condition: 'H', set_point: 3, priority: null }] };
  const whole = { id: 'Q', low: -5, high: 5, decimals: 0, limits: [{ alarm: 'Q.HH', condition: 'HH', set_point: 3, priority: 1 }] };
  const { points } = complete({ points: [bare, whole] } as unknown as CitySite);
  expect(points[0]).toMatchObject({ low: 0, high: 0, decimals: 2, limits: [{ priority: 3 }] });
  expect(points[1]).toMatchObject({ low: -5, high: 5, decimals: 0, limits: [{ priority: 1 }] });
});
