import type { Alarm } from '../api/shape';
import { byUrgency, kind, suppressed, unacknowledged, type Kind } from './state';

export type Stand = 'unacknowledged' | 'active' | 'suppressed';
export const STANDS: readonly Stand[] = ['unacknowledged', 'active', 'suppressed'];

/** What of the list is shown; nothing chosen shows all. */
export interface Filter {
  kinds: readonly Kind[];
  stands: readonly Stand[];
  area: string | null;
  site: string | null;
  text: string;
}

export function passes(alarm: Alarm, filter: Filter): boolean {
  if (filter.kinds.length > 0 && !filter.kinds.includes(kind(alarm))) return false;
  if (filter.stands.length > 0 && !filter.stands.some((stand) => stands(alarm, stand))) return false;
  if (filter.area !== null && alarm.area !== filter.area) return false;
  if (filter.site !== null && alarm.site !== filter.site) return false;
  const text = filter.text.trim().toLowerCase();
  return text === '' || [alarm.id, alarm.device, alarm.name.zh, alarm.name.en].some((part) => part.toLowerCase().includes(text));
}

/** Unacknowledged alarms that a filter keeps from sight, the worst first: a filter that was forgotten must not hide a danger. */
export function hidden(alarms: readonly Alarm[], filter: Filter): Alarm[] {
  return alarms.filter((alarm) => unacknowledged(alarm) && !passes(alarm, filter)).sort(byUrgency);
}

/** Parameters that clear every filter of an address. */
export const NO_FILTER = { kind: null, state: null, area: null, site: null, q: null } as const;

export function stands(alarm: Alarm, stand: Stand): boolean {
  if (stand === 'unacknowledged') return unacknowledged(alarm);
  return stand === 'active' ? alarm.active && !suppressed(alarm) : suppressed(alarm);
}

/** A filter as it stands in an address, each list joined by commas. */
export function readFilter(parameters: URLSearchParams): Filter {
  const list = (name: string): string[] => (parameters.get(name) ?? '').split(',').filter(Boolean);
  const kinds: readonly Kind[] = list('kind').flatMap((text) => KIND_OF[text] ?? []);
  return {
    kinds,
    stands: STANDS.filter((stand) => list('state').includes(stand)),
    area: parameters.get('area'),
    site: parameters.get('site'),
    text: parameters.get('q') ?? '',
  };
}

const KIND_OF: Record<string, Kind> = { 1: 1, 2: 2, 3: 3, 4: 4, fault: 'fault' };

/** A comma list with one entry put in or taken out; null where nothing is left. */
export function toggled(list: readonly (string | number)[], entry: string | number): string | null {
  const next = list.includes(entry) ? list.filter((other) => other !== entry) : [...list, entry];
  return next.join(',') || null;
}
