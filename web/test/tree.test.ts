import { expect, test } from 'vitest';
import type { BusTree, Preset, Profile, SiteTree, Substance } from '../src/plant/commission/shape';
import { addOutput, addSignals, causesOf, demands, deviceAt, figure, freeId, isTaken, removeDevice, rename, setDemand, usePreset } from '../src/plant/commission/tree';

const LINK: Omit<BusTree, 'id'> = { kind: 'tcp', address: '10.0.0.1:502' };
const NAME = { zh: '器', en: 'Device' };
const PROFILE: Profile = { id: 'xnx', name: NAME, source: '', signals: [{ id: 'gas', discrete: false, writable: false }, { id: 'alarm1', discrete: true, writable: false }, { id: 'do1', discrete: true, writable: true }] };
const level = (set_point: number | null, oel_level: number | null = null) => ({ set_point, oel_level, when: null, source: 'GB/T 50493-2019', confidence: 'V' });
const GAS: Preset = { id: 'combustible-gas', kinds: ['combustible-gas'], unit: '%LEL', LL: null, L: null, H: level(25), HH: level(50), ON: null };

const empty = (): SiteTree => ({ site: { id: 's', name: NAME }, area: [{ id: 'a', name: NAME }] });

function wired(): SiteTree {
  const site = empty();
  addSignals(site, deviceAt(site, LINK, 1, NAME, 'xnx'), PROFILE, (signal) => ({ zh: signal, en: signal }));
  const point = site.point?.[0];
  if (point) usePreset(point, GAS);
  addOutput(site, deviceAt(site, LINK, 2, NAME), 'do1', 'fan', NAME);
  return site;
}

test('units of one link share its bus, and a found unit is added once', () => {
  const site = wired();
  expect(site.bus).toHaveLength(1);
  expect(site.device?.map((device) => device.unit)).toEqual([1, 2]);
  expect(isTaken(site, LINK, 1)).toBe(true);
  expect(isTaken(site, { ...LINK, address: '10.0.0.2:502' }, 1)).toBe(false);
  expect(deviceAt(site, LINK, 1, NAME).id).toBe('DEV-1');
});

test('what is new is held back until it is proved', () => {
  const site = wired();
  expect(site.point?.map((point) => [point.signal, point.armed])).toEqual([['gas', false]]);
  expect(site.output?.[0]?.armed).toBe(false);
});

test('a preset brings kind, unit, range and limits, and a substance its figure', () => {
  const point = wired().point?.[0];
  expect([point?.kind, point?.unit, point?.range, point?.preset]).toEqual(['combustible-gas', '%LEL', [0, 100], 'combustible-gas']);
  const toxic: Preset = { ...GAS, id: 'toxic-gas', HH: level(null, 2) };
  const ammonia: Substance = { id: 'ammonia', name: NAME, lel_percent: null, level_1_ppm: { value: 29, confidence: 'C' }, level_2_ppm: { value: 57, confidence: 'C' } };
  expect([figure(toxic, 'HH', ammonia), figure(toxic, 'HH', null), figure(GAS, 'H', null)]).toEqual([57, null, 25]);
});

test('a cause demands an output until it is taken away, and a line of several outputs keeps the others', () => {
  const site = wired();
  expect(causesOf(site, [GAS]).map((cause) => cause.alarm)).toEqual(['PT-1.H', 'PT-1.HH', 'DEV-1.COMMS', 'DEV-2.COMMS']);
  setDemand(site, 'PT-1.HH', 'FAN-1', true);
  setDemand(site, 'DEV-1.COMMS', 'FAN-1', true);
  expect(site.effect).toEqual([{ causes: ['PT-1.HH', 'DEV-1.COMMS'], outputs: ['FAN-1'] }]);
  site.effect = [{ causes: ['PT-1.HH', 'PT-1.H'], outputs: ['FAN-1', 'SIREN'] }];
  setDemand(site, 'PT-1.HH', 'FAN-1', false);
  const pairs = (['PT-1.HH', 'PT-1.H'] as const).flatMap((cause) => ['FAN-1', 'SIREN'].map((output) => demands(site, cause, output)));
  expect(pairs).toEqual([false, true, true, true]);
});

test('another tag is another tag everywhere, and a removed device leaves nothing that names it', () => {
  const site = wired();
  setDemand(site, 'PT-1.HH', 'FAN-1', true);
  rename(site, 'point', 'PT-1', 'GT-101');
  rename(site, 'output', 'FAN-1', 'FAN-9');
  rename(site, 'area', 'a', 'tank');
  expect(site.effect).toEqual([{ causes: ['GT-101.HH'], outputs: ['FAN-9'] }]);
  expect([site.point?.[0]?.area, site.output?.[0]?.area]).toEqual(['tank', 'tank']);
  removeDevice(site, 'DEV-1');
  expect([site.point, site.effect, site.device?.length]).toEqual([[], [], 1]);
});

test('a free id is the first that nothing has', () => {
  expect(freeId([{ id: 'PT-1' }, { id: 'PT-3' }], 'PT')).toBe('PT-2');
});
