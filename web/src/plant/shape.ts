/** The shapes of the plant's interface alone, as docs/api.md gives them. */

import type { Alarm, Horn, Output, SiteShape, Text, Transition, Value } from '../api/shape';
import type { Flood, Kpi } from '../kpi/shape';

export interface Person {
  id: string;
  name: string;
  role: 'operator' | 'maintenance';
}

/** What a person demands and ends here. */
export interface Manual {
  id: string;
  name: Text;
  area: string;
  /** `<id>.MANUAL` */
  alarm: string;
}

export interface PlantSite extends SiteShape {
  /** There is no site file yet: nothing is monitored. */
  blank?: boolean;
  votes: { id: string; name: Text }[];
  manuals: Manual[];
  people: Person[];
}

export interface BrokerLink {
  state: 'up' | 'down' | 'off';
  since_ms: number;
}

export interface Links {
  broker: BrokerLink;
  cloud: BrokerLink & { backlog_batches: number };
}

export interface Snapshot {
  /** Of the site file; left out by a gateway older than this screen. */
  digest?: string;
  time_ms: number;
  values: Value[];
  alarms: Alarm[];
  outputs: Output[];
  horn: Horn;
  links: Links;
  /** Left out by a gateway older than this screen. */
  flood?: Flood;
}

export interface PlantKpi extends Kpi {
  flood: Flood;
}

export interface BusNow {
  id: string;
  kind: string;
  state: string;
  /** Share of the time that the bus is busy, 0…1. */
  utilisation: number;
  polls: number;
  errors: number;
  late_replies: number;
}

export interface DeviceNow {
  id: string;
  bus: string;
  unit: number;
  state: string;
  polls: number;
  timeouts: number;
  bad_frames: number;
  exceptions: number;
  last_ok_ms: number | null;
}

export interface SystemNow {
  buses: BusNow[];
  devices: DeviceNow[];
  journal: {
    bytes: number;
    max_bytes: number;
    first_offset: number;
    next_offset: number;
    acknowledged_offset: number;
    synced: boolean;
    /** Why writing fails, in the words of the machine; null while it works. */
    failed: string | null;
    lost_batches: number;
    dropped_readings: number;
  };
  clock: { quality: string; offset_ms: number | null };
  disk: { free_bytes: number | null };
  version: string;
  started_ms: number;
}

export interface TransitionPage {
  transitions: Transition[];
  next_before_seq: number | null;
}
