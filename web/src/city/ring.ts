/**
 * The horn of a city's screen. A gateway has a horn of its own; this one calls whoever watches many sites, and sounds where this screen was told to. Silence
 * is this screen's: it changes no alarm, and ends when a P1 or P2 annunciates anew, or when nothing is left to sound.
 */

import { alarmKey } from '../live/picture';
import { suppressed, unacknowledged } from '../alarm/state';
import type { Alarm, Horn, Priority } from '../api/shape';

/** What asked for somebody when Silence was pressed, by alarm and annunciation. */
export type Silenced = ReadonlySet<string>;

/** An alarm annunciates anew with a new occurrence, and when it asks again after it was answered for or suppressed. */
const annunciation = (alarm: Alarm): string => `${alarmKey(alarm)}#${alarm.occurrence}`;

export const sounding = (alarms: Iterable<Alarm>): Alarm[] => [...alarms].filter((alarm) => unacknowledged(alarm) && !suppressed(alarm));

export const silence = (alarms: Iterable<Alarm>): Silenced => new Set(sounding(alarms).map(annunciation));

export function hornOf(alarms: Iterable<Alarm>, silenced: Silenced | null): Horn {
  const asking = sounding(alarms);
  const worst = asking.reduce<Priority | null>((least, alarm) => (least === null || alarm.priority < least ? alarm.priority : least), null);
  const quiet = silenced !== null && !asking.some((alarm) => alarm.priority <= 2 && !silenced.has(annunciation(alarm)));
  return { sounding: worst !== null && !quiet, priority: worst, silenced: worst !== null && quiet };
}

/** The silence that still stands: what no longer asks may ask anew, and a calm city ends it. */
export function stillSilenced(alarms: Iterable<Alarm>, silenced: Silenced | null): Silenced | null {
  if (silenced === null) return null;
  const asking = sounding(alarms);
  if (asking.length === 0 || hornOf(asking, silenced).sounding) return null;
  const now = new Set(asking.map(annunciation));
  // P3 and P4 that came meanwhile stay as silent as the rest; what went may annunciate again.
  return new Set([...silenced].filter((one) => now.has(one)));
}
