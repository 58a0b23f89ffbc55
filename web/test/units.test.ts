import { expect, test } from 'vitest';
import { byUnit, plain } from '../src/alarm/units';
import { readPeriod, spanOf, isPeriod } from '../src/kpi/period';
import { alarm } from './alarms';

const label = (one: { area: string | null; device: string }): string => one.area ?? one.device;
const lines = (entries: ReturnType<typeof byUnit>): string[] => entries.map((entry) => (entry.unit ? `[${entry.unit.key}]` : `${entry.alarm.id}${entry.isFirstOut ? '*' : ''}`));

const FLOOD = [
  alarm({ id: 'B.HH', area: 'tank-2', priority: 1, raised_ms: 5_000 }),
  alarm({ id: 'A.H', area: 'tank-1', raised_ms: 3_000 }),
  alarm({ id: 'B.H', area: 'tank-2', raised_ms: 2_000 }),
  alarm({ id: 'A.L', area: 'tank-1', raised_ms: 1_000 }),
  alarm({ id: 'D.COMMS', area: null, device: 'GD-01', condition: 'COMMS', raised_ms: 4_000 }),
];

test('folded units are one line each in the order of their names, and every P1 stands above them', () => {
  expect(lines(byUnit(FLOOD, label, []))).toEqual(['B.HH', '[s/GD-01]', '[s/tank-1]', '[s/tank-2]']);
});

test('an open unit shows its alarms but for those of P1, the one that began it marked', () => {
  expect(lines(byUnit(FLOOD, label, ['s/tank-2']))).toEqual(['B.HH', '[s/GD-01]', '[s/tank-1]', '[s/tank-2]', 'B.H*']);
  const urgentFirst = FLOOD.map((one) => (one.id === 'B.HH' ? { ...one, raised_ms: 500 } : one));
  expect(lines(byUnit(urgentFirst, label, []))[0]).toBe('B.HH*');
});

test('a unit counts all of its alarms and names what began it, folded or not', () => {
  const unit = byUnit(FLOOD, label, []).find((entry) => entry.unit?.key === 's/tank-2')?.unit;
  expect(unit?.count).toBe(2);
  expect(unit?.unacknowledged[1]).toBe(1);
  expect(unit?.firstOut?.id).toBe('B.H');
});

test('a new alarm adds no line to a list whose units are folded, unless it is a P1', () => {
  const more = [...FLOOD, alarm({ id: 'A.HH', area: 'tank-1', raised_ms: 9_000 })];
  expect(byUnit(more, label, []).map((entry) => entry.key)).toEqual(byUnit(FLOOD, label, []).map((entry) => entry.key));
  expect(plain(FLOOD).map((entry) => entry.key)).toEqual(FLOOD.map((one) => `s/${one.id}`));
});

test('a period is the last day unless the address says otherwise, and no daemon is asked for more than a quarter', () => {
  const read = (text: string) => readPeriod(new URLSearchParams(text));
  expect(read('')).toEqual({ kind: 'last', days: 1 });
  expect(read('days=30')).toEqual({ kind: 'last', days: 30 });
  expect(read('days=31')).toEqual({ kind: 'last', days: 1 });
  expect(read('from=5&to=9')).toEqual({ kind: 'fixed', from_ms: 5, to_ms: 9 });
  expect(spanOf(read('days=7'), 8 * 86_400_000)).toEqual({ from_ms: 86_400_000, to_ms: 8 * 86_400_000 });
  expect(isPeriod({ from_ms: 0, to_ms: 92 * 86_400_000 })).toBe(true);
  expect(isPeriod({ from_ms: 0, to_ms: 92 * 86_400_000 + 1 })).toBe(false);
  expect(isPeriod({ from_ms: 5, to_ms: 5 })).toBe(false);
});
