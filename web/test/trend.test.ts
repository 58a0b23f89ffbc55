import { expect, test } from 'vitest';
import type { Series } from '../src/api/shape';
import { at, columns, doubtful, extent, moved } from '../src/trend/columns';
import { beside, rangeOf, readRange } from '../src/trend/range';

function series(step_ms: number, marks: [number, number | null][], more: Partial<Series> = {}): Series {
  const figures = marks.map(([, figure]) => figure);
  return { point: 'P', unit: 'm', step_ms, time_ms: marks.map(([time]) => time), min: figures, max: figures, mean: figures, count: marks.map(() => 1), good: figures.map((figure) => (figure === null ? 0 : 1)), cause: figures.map((figure) => (figure === null ? 'timeout' : null)), ...more };
}

test('a missing bucket breaks the line, and a bucket of another series does not', () => {
  const one = series(60_000, [[0, 1], [60_000, 2], [240_000, 3]]);
  const two = series(60_000, [[30_000, 9]]);
  const { time_s, cells } = columns([{ series: one }, { series: two }]);
  expect(time_s).toEqual([0, 30, 60, 120, 240]);
  expect(cells[0]?.mean).toEqual([1, undefined, 2, null, 3]);
  expect(cells[1]?.mean).toEqual([undefined, 9, undefined, undefined, undefined]);
});

test('raw readings a heartbeat apart are one line, and further apart are a gap', () => {
  const drawn = (step_ms: number, apart_ms: number, heartbeat_ms?: number) => columns([{ series: series(step_ms, [[0, 1], [apart_ms, 2]]), heartbeat_ms }]).cells[0]?.mean;
  expect(drawn(0, 60_000)).toEqual([1, 2]);
  expect(drawn(0, 100_000)).toEqual([1, null, 2]);
  expect(drawn(0, 400_000, 300_000)).toEqual([1, 2]);
  expect(drawn(0, 500_000, 300_000)).toEqual([1, null, 2]);
  // Of buckets those that a heartbeat skips are not missing.
  expect(drawn(60_000, 300_000, 300_000)).toEqual([1, 2]);
  expect(drawn(60_000, 420_000, 300_000)).toEqual([1, null, 2]);
});

test('a spell without good values is one hatched span with its cause', () => {
  expect(doubtful({ series: series(1000, [[0, 1], [1000, null], [2000, null], [3000, 4]]) })).toEqual([{ from_ms: 1000, to_ms: 3000, cause: 'timeout' }]);
});

test('a bucket that is good only in part is doubtful', () => {
  expect(doubtful({ series: series(1000, [[0, 1]], { good: [0.5] }) }).length).toBe(1);
});

test('the read-out says what stood at a moment, and nothing in a gap', () => {
  const one = { series: series(1000, [[0, 1], [1000, 2], [90_000, 3]]) };
  expect(at(one, 1400)).toBe(1);
  expect(at(one, 63_000)).toBeNull();
  expect(at(one, -1)).toBeNull();
  expect(at({ series: series(1000, []) }, 0)).toBeNull();
});

test('the day before lies over this day', () => {
  expect(moved(series(1000, [[0, 1]]), 86_400_000).time_ms).toEqual([86_400_000]);
});

test('a range reads from its address, and nonsense becomes the last two hours', () => {
  const read = (query: string) => readRange(new URLSearchParams(query));
  expect(read('from=1000&to=2000')).toEqual({ kind: 'fixed', from_ms: 1000, to_ms: 2000 });
  expect(read('span=30')).toEqual({ kind: 'last', minutes: 30 });
  for (const query of ['', 'span=-1', 'span=1e99', 'from=9&to=3', 'from=&to=5', 'span=x']) expect(read(query), query).toEqual({ kind: 'last', minutes: 120 });
});

test('a step to the side keeps half of what was in sight', () => {
  expect(rangeOf({ kind: 'last', minutes: 1 }, 100_000)).toEqual({ from_ms: 40_000, to_ms: 100_000 });
  expect(beside({ kind: 'fixed', from_ms: 1000, to_ms: 3000 }, 0, -1)).toEqual({ from_ms: 0, to_ms: 2000 });
});

test('how far a series went is told for all that is shown, raw or not, and for the bucket under the cursor', () => {
  const raw = { series: series(0, [[0, 3], [1000, null], [2000, 7]]) };
  expect(extent(raw, null)).toEqual({ min: 3, max: 7 });
  expect(extent(raw, 2000)).toBeNull();
  const buckets = { series: series(1000, [[0, 1], [1000, 5]], { min: [0, 4], max: [2, 6] }) };
  expect(extent(buckets, null)).toEqual({ min: 0, max: 6 });
  expect(extent(buckets, 1000)).toEqual({ min: 4, max: 6 });
  expect(extent({ series: series(1000, [[0, null]]) }, null)).toBeNull();
});
