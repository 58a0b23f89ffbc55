/** The list by unit (area, or device where there is none): in a flood a few lines in place of hundreds, each with the alarm that began it. */

import type { Alarm } from '../api/shape';
import { alarmKey } from '../live/picture';
import { countUnacknowledged, firstOut, type Kind } from './state';

export interface Unit {
  key: string;
  label: string;
  /** All of its alarms that pass the filters, those of P1 among them. */
  count: number;
  unacknowledged: Record<Kind, number>;
  firstOut: Alarm | null;
  open: boolean;
}

/** A line of the list. Both kinds are of one height. */
export type Entry = { unit: null; alarm: Alarm; key: string; isFirstOut: boolean } | { unit: Unit; alarm: null; key: string; isFirstOut: false };

export const unitKey = (alarm: Alarm): string => `${alarm.site}/${alarm.area ?? alarm.device}`;

/** Alarms as they come, one a line. */
export const plain = (alarms: readonly Alarm[]): Entry[] => alarms.map((alarm) => line(alarm, false));

/**
 * Every P1 first, whatever is folded; then the units in the order of their names, which no new alarm changes, and below an open unit the rest of its
 * alarms in the order given.
 */
export function byUnit(alarms: readonly Alarm[], label: (alarm: Alarm) => string, open: readonly string[]): Entry[] {
  const members = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    const key = unitKey(alarm);
    const known = members.get(key);
    if (known) known.push(alarm);
    else members.set(key, [alarm]);
  }
  const units = [...members].map(([key, of]) => ({ of, unit: unitOf(key, of, label, open.includes(key)) }));
  units.sort((a, b) => a.unit.label.localeCompare(b.unit.label, 'zh', { numeric: true }) || a.unit.key.localeCompare(b.unit.key));
  const first = new Set(units.map(({ unit }) => unit.firstOut).filter((alarm) => alarm !== null));
  const urgent = alarms.filter((alarm) => alarm.priority === 1).map((alarm) => line(alarm, first.has(alarm)));
  const folded = units.flatMap(({ of, unit }): Entry[] => [
    { unit, alarm: null, key: `unit ${unit.key}`, isFirstOut: false },
    ...(unit.open ? of.filter((alarm) => alarm.priority !== 1).map((alarm) => line(alarm, first.has(alarm))) : []),
  ]);
  return [...urgent, ...folded];
}

const line = (alarm: Alarm, isFirstOut: boolean): Entry => ({ unit: null, alarm, key: alarmKey(alarm), isFirstOut });

function unitOf(key: string, alarms: readonly Alarm[], label: (alarm: Alarm) => string, open: boolean): Unit {
  const [one] = alarms;
  return { key, label: one ? label(one) : key, count: alarms.length, unacknowledged: countUnacknowledged(alarms), firstOut: firstOut(alarms), open };
}
