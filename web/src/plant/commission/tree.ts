/** What the pages do to a site file's tree. Pure: each takes the tree that it changes. */

import type { Text } from '../../api/shape';
import { LEVELS, type BusTree, type DeviceTree, type EffectTree, type LevelName, type Named, type OutputTree, type PointTree, type Preset, type Profile, type RegisterTree, type SiteTree, type Substance } from './shape';

/** Signals of one device that become points at once; of a controller of hundreds of channels a person picks the wired ones. */
const POINTS_AT_ONCE = 8;

export const list = <T>(all: T[] | undefined): T[] => all ?? [];

/** The list itself, made where there is none. */
export function own<K extends 'area' | 'bus' | 'device' | 'point' | 'output' | 'effect'>(site: SiteTree, part: K): NonNullable<SiteTree[K]> {
  return (site[part] ??= [] as never) as NonNullable<SiteTree[K]>;
}

/** The first of `GD-1`, `GD-2`, … that nothing has. */
export function freeId(taken: readonly { id: string }[], prefix: string): string {
  const known = new Set(taken.map((one) => one.id));
  for (let number = 1; ; number += 1) if (!known.has(`${prefix}-${number}`)) return `${prefix}-${number}`;
}

const everyId = (site: SiteTree): { id: string }[] => [...list(site.area), ...list(site.bus), ...list(site.device), ...list(site.point), ...list(site.output)];

const sameLink = (bus: BusTree, link: Omit<BusTree, 'id'>): boolean => bus.kind === link.kind && (link.kind === 'rtu' ? bus.path === link.path : bus.address === link.address);

/** The device at this link and unit; with its bus, where they are new. */
export function deviceAt(site: SiteTree, link: Omit<BusTree, 'id'>, unit: number, named: Text, profile?: string, answerMs = 0): DeviceTree {
  const buses = own(site, 'bus');
  let bus = buses.find((one) => sameLink(one, link));
  if (!bus) buses.push((bus = { id: freeId(everyId(site), 'BUS'), ...link }));
  const { id } = bus;
  const known = list(site.device).find((one) => one.bus === id && one.unit === unit);
  if (known) {
    if (profile) known.profile = profile;
    return known;
  }
  const device: DeviceTree = { id: freeId(everyId(site), 'DEV'), name: named, bus: id, unit, ...(profile ? { profile } : {}), ...(answerMs > 0 ? { answer_ms: answerMs } : {}) };
  own(site, 'device').push(device);
  return device;
}

/** Whether a link and unit are in the draft already. */
export const isTaken = (site: SiteTree, link: Omit<BusTree, 'id'>, unit: number): boolean =>
  list(site.device).some((device) => device.unit === unit && list(site.bus).some((bus) => bus.id === device.bus && sameLink(bus, link)));

export interface Source {
  signal?: string;
  register?: RegisterTree;
  discrete: boolean;
}

/** A new point is held back until it is proved. */
export function addPoint(site: SiteTree, device: DeviceTree, source: Source, named: Text): PointTree {
  const areas = own(site, 'area');
  const { discrete, ...from } = source;
  const point: PointTree = {
    id: freeId(everyId(site), discrete ? 'XS' : 'PT'),
    name: named,
    area: areas[0]?.id ?? '',
    device: device.id,
    ...from,
    kind: discrete ? 'discrete' : 'other',
    ...(discrete ? {} : { unit: '', range: [0, 100] as [number, number] }),
    armed: false,
  };
  own(site, 'point').push(point);
  return point;
}

/** What of a profile's signals can be read and is no point yet. */
export const freeSignals = (site: SiteTree, device: DeviceTree, profile: Profile): Profile['signals'] =>
  profile.signals.filter((signal) => !signal.writable && !list(site.point).some((point) => point.device === device.id && point.signal === signal.id));

/** The first measured signals of a new device as points; its switches where it measures nothing. */
export function addSignals(site: SiteTree, device: DeviceTree, profile: Profile, named: (signal: string) => Text): void {
  const free = freeSignals(site, device, profile);
  const measured = free.filter((signal) => !signal.discrete);
  for (const signal of measured.slice(0, POINTS_AT_ONCE)) addPoint(site, device, { signal: signal.id, discrete: false }, named(signal.id));
}

/** Takes a device away, with what is read from it and driven by it. */
export function removeDevice(site: SiteTree, id: string): void {
  for (const point of list(site.point).filter((one) => one.device === id)) removePoint(site, point.id);
  for (const output of list(site.output).filter((one) => one.device === id)) removeOutput(site, output.id);
  site.effect = list(site.effect).map((effect) => ({ ...effect, causes: effect.causes.filter((cause) => cause !== `${id}.COMMS`) }));
  site.device = list(site.device).filter((device) => device.id !== id);
  site.bus = list(site.bus).filter((bus) => list(site.device).some((device) => device.bus === bus.id));
  dropEmpty(site);
}

export function removePoint(site: SiteTree, id: string): void {
  site.point = list(site.point).filter((point) => point.id !== id);
  site.effect = list(site.effect).map((effect) => ({ ...effect, causes: effect.causes.filter((cause) => !cause.startsWith(`${id}.`)) }));
  dropEmpty(site);
}

export function removeOutput(site: SiteTree, id: string): void {
  site.output = list(site.output).filter((output) => output.id !== id);
  site.effect = list(site.effect).map((effect) => ({ ...effect, outputs: effect.outputs.filter((output) => output !== id) }));
  dropEmpty(site);
}

function dropEmpty(site: SiteTree): void {
  site.effect = list(site.effect).filter((effect) => effect.causes.length > 0 && effect.outputs.length > 0);
}

/** Calls something else by another id, everywhere that it is named. */
export function rename(site: SiteTree, part: 'point' | 'output' | 'area' | 'device', before: string, after: string): void {
  const one = list(site[part] as Named[] | undefined).find((candidate) => candidate.id === before);
  if (!one) return;
  one.id = after;
  const moved = (alarm: string): string => (alarm.startsWith(`${before}.`) ? after + alarm.slice(before.length) : alarm);
  for (const effect of list(site.effect)) {
    if (part === 'output') effect.outputs = effect.outputs.map((output) => (output === before ? after : output));
    effect.causes = effect.causes.map(moved);
  }
  if (part === 'area') for (const placed of [...list(site.point), ...list(site.output)]) if (placed.area === before) placed.area = after;
  if (part === 'device') for (const placed of [...list(site.point), ...list(site.output)]) if (placed.device === before) placed.device = after;
}

/** Ranges that a detector of this kind has as a rule; the installer confirms them. */
const RANGES: Record<string, [number, number]> = { 'combustible-gas': [0, 100], 'combustible-gas-open-path': [0, 5], oxygen: [0, 30], ammonia: [0, 300], 'ammonia-alarm': [0, 300], 'ammonia-power-cut': [0, 100], 'dust-differential-pressure': [0, 3000] };

/** Takes a preset over: what it measures, in which unit, and its limits in place of those of before. */
export function usePreset(point: PointTree, preset: Preset | null): void {
  point.preset = preset?.id ?? null;
  point.alarms = null;
  if (!preset) return;
  if (!preset.kinds.includes(point.kind)) point.kind = preset.kinds[0] ?? 'other';
  if (point.kind === 'discrete') {
    point.unit = point.range = null;
    return;
  }
  if (preset.unit) point.unit = preset.unit;
  point.range = RANGES[preset.id] ?? point.range ?? [0, 100];
  if (preset.id.startsWith('ammonia')) point.substance = 'ammonia';
}

/** The set-point that a preset gives, with the substance's figure where it needs one. */
export function figure(preset: Preset | null, level: LevelName, substance: Substance | null): number | null {
  const given = preset?.[level];
  if (!given) return null;
  if (given.oel_level === 1) return substance?.level_1_ppm?.value ?? null;
  if (given.oel_level === 2) return substance?.level_2_ppm?.value ?? null;
  return given.set_point;
}

/** The limits that a point has: its own, and those of its preset. */
export function levelsOf(point: PointTree, preset: Preset | null): LevelName[] {
  return LEVELS.filter((level) => preset?.[level] != null || point.alarms?.[level] != null);
}

/** Every alarm of a draft that may switch something. */
export function causesOf(site: SiteTree, presets: readonly Preset[]): { alarm: string; name: Text; level: string }[] {
  const limits = list(site.point).flatMap((point) =>
    levelsOf(point, presets.find((preset) => preset.id === point.preset) ?? null).map((level) => ({ alarm: `${point.id}.${level}`, name: point.name, level: level as string })),
  );
  const silent = list(site.device).map((device) => ({ alarm: `${device.id}.COMMS`, name: device.name, level: 'COMMS' }));
  return [...limits, ...silent];
}

/** Whether a cause demands an output, by any line of the table. */
export const demands = (site: SiteTree, cause: string, output: string): boolean => list(site.effect).some((effect) => effect.causes.includes(cause) && effect.outputs.includes(output));

/** Lets a cause demand an output, or no longer. A line of several outputs keeps the others. */
export function setDemand(site: SiteTree, cause: string, output: string, on: boolean): void {
  const effects = own(site, 'effect');
  if (on) {
    const line = effects.find((effect) => effect.outputs.length === 1 && effect.outputs[0] === output);
    if (line) line.causes.push(cause);
    else effects.push({ causes: [cause], outputs: [output] });
    return;
  }
  for (const effect of effects.filter((one) => one.causes.includes(cause) && one.outputs.includes(output))) split(effects, effect, cause, output);
  dropEmpty(site);
}

function split(effects: EffectTree[], effect: EffectTree, cause: string, output: string): void {
  const others = effect.outputs.filter((one) => one !== output);
  if (others.length > 0) effects.push({ causes: [cause], outputs: others });
  if (effect.causes.length > 1 && others.length > 0) {
    effects.push({ causes: effect.causes.filter((one) => one !== cause), outputs: [...effect.outputs] });
    effect.causes = [];
    return;
  }
  effect.causes = effect.causes.filter((one) => one !== cause);
}

/** A new output is held back until it is proved. */
export function addOutput(site: SiteTree, device: DeviceTree, signal: string, kind: string, named: Text): OutputTree {
  const output: OutputTree = { id: freeId(everyId(site), kind === 'fan' ? 'FAN' : 'OUT'), name: named, area: own(site, 'area')[0]?.id ?? '', kind, device: device.id, signal, armed: false };
  own(site, 'output').push(output);
  return output;
}
