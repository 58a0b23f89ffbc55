/** The shapes of the city's interface alone, as docs/api.md gives them. */

import type { Alarm, Condition, Device, Priority, SiteShape, Text, Transition, Value } from '../api/shape';
import type { Flood } from '../kpi/shape';

export type Role = 'operator' | 'regulator' | 'administrator';
export const ROLES: readonly Role[] = ['operator', 'regulator', 'administrator'];

/** An empty town or village stands for all of them. */
export interface Jurisdiction {
  city: string;
  town: string;
  village: string;
}

export interface User {
  id: string;
  name: string;
  role: Role;
  /** An operator's sites. */
  sites: string[];
  /** A regulator's; null for anybody else. */
  jurisdiction: Jurisdiction | null;
}

/** What an administrator sends; without a password the old one stays. */
export interface UserChange extends User {
  password?: string;
}

export type Risk = 'red' | 'orange' | 'yellow' | 'blue';
/** The most dangerous first. */
export const RISKS: readonly Risk[] = ['red', 'orange', 'yellow', 'blue'];

/** `stale`: connected, and silent for longer than 90 s. */
export type Link = 'up' | 'stale' | 'down';
export const LINKS: readonly Link[] = ['down', 'stale', 'up'];

export interface Count {
  unacknowledged: number;
  active: number;
}

export type CountKey = `p${Priority}`;

export interface SiteOverview extends Jurisdiction {
  id: string;
  name: Text;
  sector: string;
  risk: Risk;
  link: Link;
  last_seen_ms: number | null;
  alarms: Record<CountKey, Count>;
  worst: Alarm | null;
  flood: Flood;
}

export interface Contact {
  name: string;
  role: string;
  phone: string;
}

/** What the city's administrator keeps of a site. */
export interface Registry extends Jurisdiction {
  address: string;
  sector: string;
  risk: Risk;
  contacts: Contact[];
}

export interface DeviceNow extends Device {
  online: boolean;
  since_ms: number | null;
}

export interface CitySite extends SiteShape, Registry {
  /** Who may act at the gateway. */
  people: { id: string; name: string; role: string }[];
  devices: DeviceNow[];
  link: Link;
  last_seen_ms: number | null;
  values: Value[];
  demands: Demand[];
  /** The history does not answer: what there is of values cannot be told. */
  values_away: boolean;
}

/** What a gateway last said that it demands of an output. */
export interface Demand {
  /** In the stream. */
  site?: string;
  output: string;
  demand: boolean;
  since_ms: number;
  /** The site is not heard: it may have changed. */
  stale: boolean;
}

export interface CitySnapshot {
  time_ms: number;
  sites: SiteOverview[];
  alarms: Alarm[];
  values: Value[];
  demands: Demand[];
}

/** An order that the gateway, or the city for want of its answer, refused. */
export interface Refused {
  command: string;
  site: string;
  alarm: string;
  why: string;
}

export interface Occurrence {
  site: string;
  alarm: string;
  name: Text;
  occurrence: number;
  priority: Priority;
  condition: Condition;
  raised_ms: number;
  cleared_ms: number | null;
  acknowledged_ms: number | null;
  acknowledged_by: string | null;
  time_to_acknowledge_ms: number | null;
  duration_ms: number | null;
  peak: number | null;
  limit: number | null;
  unit: string;
  late: boolean;
}

/** A span of which the record is not known to be whole; `to_ms` is null while it lasts. */
export interface Gap {
  site: string;
  from_ms: number;
  to_ms: number | null;
}

export interface AlarmHistory {
  occurrences: Occurrence[];
  next_cursor: string | null;
  /** Over all pages. */
  total: number;
  gaps: Gap[];
  /** There are more gaps of record than these. */
  gaps_cut: boolean;
}

export interface TransitionPage {
  transitions: Transition[];
  next_cursor: string | null;
}

export interface AuditEntry {
  seq: number;
  time_ms: number;
  actor: string;
  action: string;
  subject: string;
  detail: unknown;
  hash: string;
}

export interface AuditPage {
  entries: AuditEntry[];
  next_cursor: number | null;
}
