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
  /** `behind`: up, and batches wait behind newer ones. */
  cloud: { state: BrokerLink['state'] | 'behind'; since_ms: number; backlog_batches: number };
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

/** One of Davy's own nodes: its registers by name (docs/node.md), and what it told. */
export interface NodeNow {
  id: string;
  strange: boolean;
  asked_ms: number | null;
  status: {
    firmware: number[];
    config_version: number;
    config_crc: number;
    boot_count: number;
    reset_cause: number;
    self_test: number;
    time_quality: number;
    unlocked_s: number;
    gateway_silent: number;
  } | null;
  collected: number;
  missed: number;
  recent: ToldNow[];
}

export interface ToldNow {
  kind: string;
  time_ms: number;
  clock: string | null;
  collected_ms: number;
  number: number | null;
  alarm: string | null;
  state: number | null;
  relay: number | null;
  on: boolean | null;
  slot: string | null;
  slot_state: string | null;
  slot_why: string | null;
}

export interface SystemNow {
  buses: BusNow[];
  devices: DeviceNow[];
  nodes: NodeNow[];
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
