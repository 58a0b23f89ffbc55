import { expect, test } from 'vitest';
import { hidden, passes, readFilter, toggled } from '../src/alarm/filter';
import { byUrgency, countUnacknowledged, firstOut, kind, worst } from '../src/alarm/state';
import { alarm } from './alarms';

test('an unacknowledged P1 stands on top however old it is; what is suppressed stands last', () => {
  const old = alarm({ id: 'old-p1', priority: 1, raised_ms: 1 });
  const fresh = alarm({ id: 'fresh-p2', raised_ms: 9_000 });
  const acked = alarm({ id: 'acked-p1', priority: 1, state: 'ACKED', raised_ms: 8_000 });
  const done = alarm({ id: 'acked-p2', state: 'ACKED', raised_ms: 9_500 });
  const shelved = alarm({ id: 'shelved-p1', priority: 1, state: 'SHLVD', suppressed: ['shelved'], raised_ms: 9_900 });
  expect([shelved, done, fresh, acked, old].sort(byUrgency).map((one) => one.id)).toEqual(['old-p1', 'acked-p1', 'fresh-p2', 'acked-p2', 'shelved-p1']);
});

test('an instrument fault is drawn as a system fault whatever its priority, and never pinned as a P1', () => {
  const fault = alarm({ id: 'x.BAD', condition: 'BAD', priority: 1, raised_ms: 9_000 });
  expect(kind(fault)).toBe('fault');
  expect([fault, alarm({ id: 'p1', priority: 1, raised_ms: 1 })].sort(byUrgency)[0]?.id).toBe('p1');
});

test('returned and latched alarms still count as unacknowledged, suppressed ones do not', () => {
  const counts = countUnacknowledged([alarm({ state: 'RTNUN' }), alarm({ state: 'LATCH-UNACK' }), alarm({ state: 'ACKED' }), alarm({ state: 'SHLVD' }), alarm({ condition: 'COMMS' })]);
  expect(counts).toEqual({ 1: 0, 2: 2, 3: 0, 4: 0, fault: 1 });
});

test('a shelved alarm is not the worst of its area', () => {
  expect(worst([alarm({ priority: 1, state: 'SHLVD', suppressed: ['shelved'] })])).toBeNull();
});

test('first-out is the earliest of what is active or latched, not of what is gone', () => {
  const gone = alarm({ id: 'gone', active: false, raised_ms: 1 });
  const first = alarm({ id: 'first', active: false, latched: true, raised_ms: 2 });
  expect(firstOut([alarm({ raised_ms: 3 }), first, gone])?.id).toBe('first');
});

test('a filter of the address passes what it names, and an unknown word in it filters nothing', () => {
  const filter = (query: string) => readFilter(new URLSearchParams(query));
  expect(passes(alarm(), filter('kind=2,fault&state=unacknowledged'))).toBe(true);
  expect(passes(alarm(), filter('kind=1'))).toBe(false);
  expect(passes(alarm(), filter('kind=nonsense'))).toBe(true);
  expect(passes(alarm(), filter('q=gt-10'))).toBe(true);
  expect(passes(alarm(), filter('q=可燃'))).toBe(true);
  expect(passes(alarm(), filter('area=tank-2'))).toBe(false);
  expect(passes(alarm({ state: 'SHLVD', suppressed: ['shelved'] }), filter('state=active'))).toBe(false);
});

test('a chip puts its entry in and takes it out', () => {
  expect(toggled([], 1)).toBe('1');
  expect(toggled([1], 2)).toBe('1,2');
  expect(toggled([1], 1)).toBeNull();
});

test('what a filter keeps from sight is named where it is unacknowledged, the worst first', () => {
  const filter = readFilter(new URLSearchParams('q=level'));
  const kept = hidden([alarm({ id: 'a' }), alarm({ id: 'b', priority: 1 }), alarm({ id: 'c', state: 'ACKED' }), alarm({ id: 'level' })], filter);
  expect(kept.map((one) => one.id)).toEqual(['b', 'a']);
});

test('of alarms that tripped in one instant the first-out is always the same, in whatever order they stand and whoever acknowledges', () => {
  const [a, b] = [alarm({ id: 'A.H', seq: 9 }), alarm({ id: 'B.H', seq: 2 })];
  expect(firstOut([a, b])?.id).toBe('A.H');
  expect(firstOut([b, { ...a, seq: 50, state: 'ACKED' }])?.id).toBe('A.H');
});
