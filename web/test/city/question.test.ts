import { expect, test } from 'vitest';
import { columnsOf, coverage, dayStart, rowsOf } from '../../src/city/perDay';
import { DAY_MS, historyPath, isSpan, rangeOf, readingsCsvLink, readQuestion } from '../../src/city/question';
import { fileLink } from '../../src/city/record/asks';
import type { Gap, Occurrence } from '../../src/city/shape';

const NOW = Date.parse('2026-11-25T06:00:00Z');
const question = (address: string) => readQuestion(new URLSearchParams(address));

test('a question reads from its address, and what is no question is left out', () => {
  const asked = question('site=tank-farm&condition=HH,NONSENSE&priority=1,2,9&over=60&from=1000&to=2000');
  expect(asked).toMatchObject({ site: 'tank-farm', conditions: ['HH'], priorities: [1, 2], over_s: 60, from_ms: 1000, to_ms: 2000 });
  expect(question('over=-1&days=x&from=1e9')).toMatchObject({ over_s: null, days: 7, from_ms: null });
  expect(question('days=0')).toMatchObject({ days: 7 });
  expect(question('days=999999&over=99999999999')).toMatchObject({ days: 7, over_s: null });
});

test('the last days move with the clock and hold what a fast clock dates ahead', () => {
  expect(rangeOf(question('days=30'), NOW)).toEqual({ from_ms: NOW - 30 * DAY_MS, to_ms: NOW + DAY_MS });
  expect(rangeOf(question('from=5&to=9'), NOW)).toEqual({ from_ms: 5, to_ms: 9 });
  expect(isSpan(rangeOf(question('from=9&to=5'), NOW))).toBe(false);
});

test('the call holds what was asked and nothing else', () => {
  const path = historyPath(question('priority=1&over=60'), { from_ms: 1, to_ms: 2 }, { limit: 100 });
  expect(path).toBe('/api/history/alarms?priority=1&from_ms=1&to_ms=2&unacknowledged_over_s=60&limit=100');
});

test('the export asks the same, with an escaped zone and the language of the screen', () => {
  const alarms = fileLink({ ask: 'alarms', question: question('town=A&condition=HH'), range: { from_ms: 1, to_ms: 2 }, minutes: null, by: 'town' }, 'csv', 'zh');
  for (const part of ['/api/export/alarms?', 'town=A', 'condition=HH', 'from_ms=1', 'to_ms=2', 'zone=%2B08%3A00', 'lang=zh', 'format=csv']) expect(alarms).toContain(part);
  expect(readingsCsvLink('a b', ['P1', 'P2'], { from_ms: 1, to_ms: 2 }, 'en')).toBe('/api/sites/a%20b/readings.csv?points=P1%2CP2&from_ms=1&to_ms=2&zone=%2B08%3A00&lang=en');
});

test('a day begins at midnight of the site, not of Greenwich', () => {
  expect(dayStart(Date.parse('2026-11-24T16:00:00Z'))).toBe(Date.parse('2026-11-24T16:00:00Z'));
  expect(dayStart(Date.parse('2026-11-24T15:59:59Z'))).toBe(Date.parse('2026-11-23T16:00:00Z'));
});

test('columns count by priority, and mark days that a gap touches', () => {
  const range = { from_ms: NOW - 3 * DAY_MS, to_ms: NOW + DAY_MS };
  const gaps: Gap[] = [{ site: 'a', from_ms: NOW - 3_600_000, to_ms: null }];
  const columns = columnsOf([{ raised_ms: NOW, priority: 1 }, { raised_ms: NOW, priority: 3 }, { raised_ms: NOW - DAY_MS, priority: 1 }], gaps, range, NOW);
  expect(columns).toHaveLength(4);
  expect(columns.map((column) => column.total)).toEqual([0, 0, 1, 2]);
  expect(columns[3]?.counts).toEqual([1, 0, 1, 0]);
  expect(columns.map((column) => column.gap)).toEqual([false, false, false, true]);
});

test('a year is drawn in few columns that lose nothing', () => {
  const raised = Array.from({ length: 365 }, (_, days) => ({ raised_ms: NOW - days * DAY_MS, priority: 2 as const }));
  const columns = columnsOf(raised, [], { from_ms: NOW - 365 * DAY_MS, to_ms: NOW }, NOW);
  expect(columns.length).toBeLessThanOrEqual(62);
  expect(columns.reduce((sum, column) => sum + column.total, 0)).toBe(365);
});

test('gaps stand among the rows by time, and wait for their page', () => {
  const occurrence = (raised_ms: number): Occurrence => ({ raised_ms }) as Occurrence;
  const gaps: Gap[] = [{ site: 'a', from_ms: 15, to_ms: 18 }, { site: 'a', from_ms: 5, to_ms: 6 }];
  const times = (whole: boolean) => rowsOf([occurrence(20), occurrence(10)], gaps, whole).map((row) => ('gap' in row ? -row.gap.from_ms : row.occurrence.raised_ms));
  expect(times(false)).toEqual([20, -15, 10]);
  expect(times(true)).toEqual([20, -15, 10, -5]);
});

test('coverage counts overlapping gaps once and an open gap up to now', () => {
  const range = { from_ms: 0, to_ms: 1_000 };
  expect(coverage([], range, 1_000)).toBe(1);
  expect(coverage([{ site: 'a', from_ms: 100, to_ms: 300 }, { site: 'a', from_ms: 200, to_ms: 400 }], range, 1_000)).toBeCloseTo(0.7);
  expect(coverage([{ site: 'a', from_ms: 900, to_ms: null }], range, 1_000)).toBeCloseTo(0.9);
  expect(coverage([{ site: 'a', from_ms: -50, to_ms: 50 }], range, 1_000)).toBeCloseTo(0.95);
});
