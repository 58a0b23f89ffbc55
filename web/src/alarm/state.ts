/** What a state means to a person at the screen. The daemon decides; here is only reading. */

import type { Alarm, AlarmState, Condition, Priority } from '../api/shape';
import { PRIORITIES } from '../api/shape';

const UNACKNOWLEDGED: readonly AlarmState[] = ['UNACK', 'RTNUN', 'LATCH-UNACK'];
const SUPPRESSED: readonly AlarmState[] = ['SHLVD', 'DSUPR', 'OOSRV'];
const FAULTS: readonly Condition[] = ['BAD', 'STALE', 'COMMS', 'FROZEN', 'DEGRADED', 'UNMON', 'DISC', 'FAILED'];

export const unacknowledged = (alarm: Alarm): boolean => UNACKNOWLEDGED.includes(alarm.state);
export const suppressed = (alarm: Alarm): boolean => SUPPRESSED.includes(alarm.state);
/** Davy cannot see: drawn as a system fault, whatever its priority. */
export const fault = (alarm: { condition: Condition }): boolean => FAULTS.includes(alarm.condition);

/** How an alarm is drawn: by priority, or as a system fault. */
export type Kind = Priority | 'fault';
export const KINDS: readonly Kind[] = [...PRIORITIES, 'fault'];
export const kind = (alarm: { condition: Condition; priority: Priority }): Kind => (fault(alarm) ? 'fault' : alarm.priority);

/** Alarms of each kind. */
export function countKinds(alarms: Iterable<Alarm>): Record<Kind, number> {
  const counts: Record<Kind, number> = { 1: 0, 2: 0, 3: 0, 4: 0, fault: 0 };
  for (const alarm of alarms) counts[kind(alarm)] += 1;
  return counts;
}

/** Unacknowledged alarms of each kind. */
export const countUnacknowledged = (alarms: Iterable<Alarm>): Record<Kind, number> => countKinds([...alarms].filter(unacknowledged));

/** The one that asks for hands first, of alarms that ask at all; null in a calm place. */
export function worst(alarms: Iterable<Alarm>): Alarm | null {
  let found: Alarm | null = null;
  for (const alarm of alarms) if (!suppressed(alarm) && (!found || byUrgency(alarm, found) < 0)) found = alarm;
  return found;
}

/** P1 that wants a person is pinned on top; then what is unacknowledged, then newest first; what is suppressed last. */
export function byUrgency(a: Alarm, b: Alarm): number {
  return rank(a) - rank(b) || (b.raised_ms ?? 0) - (a.raised_ms ?? 0) || b.seq - a.seq || a.id.localeCompare(b.id);
}

function rank(alarm: Alarm): number {
  if (suppressed(alarm)) return 4;
  if (alarm.priority === 1 && !fault(alarm)) return unacknowledged(alarm) ? 0 : 1;
  return unacknowledged(alarm) ? 2 : 3;
}

/** The first alarm of a group that tripped: what began it all. Of alarms that are active now, or latched since; of those of one instant always the same. */
export function firstOut(alarms: Iterable<Alarm>): Alarm | null {
  let first: Alarm | null = null;
  for (const alarm of alarms) {
    if (alarm.raised_ms === null || !(alarm.active || alarm.latched)) continue;
    if (!first || alarm.raised_ms < (first.raised_ms ?? Infinity) || (alarm.raised_ms === first.raised_ms && alarm.id < first.id)) first = alarm;
  }
  return first;
}
