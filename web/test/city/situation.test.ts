import { expect, test } from 'vitest';
import type { Alarm } from '../../src/api/shape';
import type { Count, SiteOverview } from '../../src/city/shape';
import { byOrder, byTown, passesSite, readSiteFilter, sitesNow, totals, wrong, type SiteNow } from '../../src/city/situation';

type Counts = Partial<Record<'p1' | 'p2' | 'p3' | 'p4' | 'fault', [unacknowledged: number, active: number]>>;

function site(id: string, { counts = {}, ...given }: Partial<SiteOverview> & { counts?: Counts } = {}): SiteNow {
  const of = (key: keyof Counts): Count => ({ unacknowledged: counts[key]?.[0] ?? 0, active: counts[key]?.[1] ?? 0 });
  return { ...overview(id), ...given, worst: null, tally: { 1: of('p1'), 2: of('p2'), 3: of('p3'), 4: of('p4'), fault: of('fault') } };
}

function overview(id: string): SiteOverview {
  const none: Count = { unacknowledged: 0, active: 0 };
  return { id, name: { zh: id, en: id }, city: 'C', town: 'A', village: '', sector: '', risk: 'blue', link: 'up', last_seen_ms: 0, alarms: { p1: none, p2: none, p3: none, p4: none }, worst: null, flood: { count: 0, since_ms: null } };
}

const ids = (sites: SiteNow[]): string[] => sites.map((one) => one.id);

test('what is wrong now goes from an unacknowledged P1 to a calm site', () => {
  const sites = [
    site('calm', { risk: 'red' }),
    site('p4-active', { counts: { p4: [0, 1] } }),
    site('p3-waits', { counts: { p3: [1, 1] } }),
    site('p1-answered', { counts: { p1: [0, 1] } }),
    site('down', { link: 'down' }),
    site('p2', { counts: { p2: [1, 1] } }),
    site('p1', { counts: { p1: [1, 0] } }),
  ];
  expect(ids([...sites].sort(byOrder('wrong')))).toEqual(['p1', 'p2', 'down', 'p1-answered', 'p3-waits', 'p4-active', 'calm']);
});

test('a silent site is never called calm', () => {
  expect(wrong(site('a', { link: 'stale' }))).toBe('unheard');
  expect(wrong(site('a', { link: 'down' }))).toBe('unheard');
  expect(wrong(site('a'))).toBe('calm');
});

test('by risk, the class comes first and what is wrong second', () => {
  const sites = [site('blue-p1', { counts: { p1: [1, 1] } }), site('red-calm', { risk: 'red' }), site('red-p3', { risk: 'red', counts: { p3: [1, 1] } }), site('orange', { risk: 'orange' })];
  expect(ids([...sites].sort(byOrder('risk')))).toEqual(['red-p3', 'red-calm', 'orange', 'blue-p1']);
});

test('towns hold their sites in the order given, and sites of no town come last', () => {
  const towns = byTown([site('x', { town: '' }), site('b', { town: 'B' }), site('a2'), site('a1')]);
  expect(towns.map((town) => [town.town, ids(town.sites)])).toEqual([['A', ['a2', 'a1']], ['B', ['b']], ['', ['x']]]);
});

test('a filter reads from its address and passes what it names', () => {
  const all = [site('a', { risk: 'red' }), site('b', { link: 'down' }), site('c', { counts: { p3: [1, 1] } })];
  const shown = (address: string): string[] => ids(all.filter((one) => passesSite(one, readSiteFilter(new URLSearchParams(address)))));
  expect(shown('')).toEqual(['a', 'b', 'c']);
  expect(shown('risk=red,nonsense')).toEqual(['a']);
  expect(shown('link=down')).toEqual(['b']);
  expect(shown('now=abnormal')).toEqual(['b', 'c']);
  expect(shown('q=C')).toEqual(['c']);
  expect(shown('town=Elsewhere')).toEqual([]);
});

test('totals add up alarms and links', () => {
  const sum = totals([site('a', { counts: { p1: [1, 2] } }), site('b', { counts: { p1: [1, 0] }, link: 'stale' })]);
  expect(sum.alarms[1]).toEqual({ unacknowledged: 2, active: 2 });
  expect(sum.links).toEqual({ up: 1, stale: 1, down: 0 });
});

const alarm = (site: string, given: Partial<Alarm>): Alarm => ({ site, id: 'x', seq: 1, raised_ms: 1, state: 'UNACK', active: true, condition: 'H', priority: 3, ...given }) as Alarm;

test('alarms of the stream are counted at their site, faults apart from alarms of their priority', () => {
  const [a, b] = sitesNow([overview('a'), overview('b')], [alarm('a', { priority: 1 }), alarm('a', { condition: 'BAD' }), alarm('a', { state: 'ACKED' }), alarm('unseen', {})]);
  expect(a?.tally).toMatchObject({ 1: { unacknowledged: 1, active: 1 }, 3: { unacknowledged: 0, active: 1 }, fault: { unacknowledged: 1, active: 1 } });
  expect(a?.worst?.priority).toBe(1);
  expect(b && wrong(b)).toBe('calm');
});

test('a shelved alarm is not the news of a site', () => {
  const [a] = sitesNow([overview('a')], [alarm('a', { state: 'SHLVD', priority: 1 })]);
  expect(a?.worst).toBeNull();
  expect(a && wrong(a)).toBe('calm');
});
