/** The shapes that both interfaces share, as docs/api.md gives them. Times are UTC milliseconds. */

export interface Text {
  zh: string;
  en: string;
}

export type Quality = 'good' | 'uncertain' | 'bad' | 'stale';

export interface Value {
  /** Only the city's stream names the site. */
  site?: string;
  point: string;
  value: number | null;
  cause: string | null;
  quality: Quality;
  time_ms: number;
}

export type Priority = 1 | 2 | 3 | 4;
export const PRIORITIES: readonly Priority[] = [1, 2, 3, 4];

export type Condition =
  | 'HH'
  | 'H'
  | 'L'
  | 'LL'
  | 'ON'
  | 'DEV'
  | 'ROC'
  | 'FROZEN'
  | 'STEL'
  | 'TWA'
  | 'BAD'
  | 'STALE'
  | 'COMMS'
  | 'VOTE'
  | 'DEGRADED'
  | 'UNMON'
  | 'DISC'
  | 'FAILED'
  | 'MANUAL'
  | 'PROOF';
export const CONDITIONS: readonly Condition[] = [
  'HH', 'H', 'L', 'LL', 'ON', 'DEV', 'ROC', 'FROZEN', 'STEL', 'TWA', 'BAD', 'STALE', 'COMMS', 'VOTE', 'DEGRADED', 'UNMON', 'DISC', 'FAILED', 'MANUAL', 'PROOF',
];

export interface Limit {
  alarm: string;
  condition: Condition;
  set_point: number | null;
  deadband: number | null;
  priority: Priority;
  /** Where it comes from; a code from a gateway of before. */
  source: Text | string | null;
  guidance: Text | null;
}

export interface Point {
  id: string;
  name: Text;
  area: string;
  device: string;
  kind: string;
  unit: string;
  low: number;
  high: number;
  decimals: number;
  states: [Text, Text] | null;
  limits: Limit[];
  /** False: judged and recorded, and neither annunciated nor switching anything. Left out by an older daemon. */
  armed?: boolean;
  /** How often it is sent at the least. Left out by an older daemon. */
  heartbeat_ms?: number | null;
}

export type AlarmState = 'NORM' | 'UNACK' | 'ACKED' | 'RTNUN' | 'LATCH-UNACK' | 'LATCH-ACK' | 'SHLVD' | 'DSUPR' | 'OOSRV';

export interface Alarm {
  site: string;
  id: string;
  point: string | null;
  device: string;
  area: string | null;
  condition: Condition;
  priority: Priority;
  name: Text;
  state: AlarmState;
  active: boolean;
  acknowledged: boolean;
  latched: boolean;
  suppressed: string[];
  occurrence: number;
  seq: number;
  raised_ms: number | null;
  changed_ms: number | null;
  cleared_ms: number | null;
  acknowledged_ms: number | null;
  value_then: number | null;
  cause_then: string | null;
  limit: number | null;
  unit: string;
  actor: string | null;
  reason: string | null;
  shelved_until_ms: number | null;
  guidance: Text | null;
  late: boolean;
  remote: boolean;
}

export interface Transition {
  site: string;
  seq: number;
  alarm: string;
  occurrence: number;
  from: AlarmState;
  to: AlarmState;
  cause: string;
  time_ms: number;
  value: number | null;
  value_cause: string | null;
  limit: number | null;
  priority: Priority;
  actor: string | null;
  reason: string | null;
  late: boolean;
  received_ms?: number | null;
  /** Only in the city's stream: the order that this transition answers. */
  command?: string | null;
}

export interface Series {
  point: string;
  unit: string;
  /** 0: raw readings. */
  step_ms: number;
  time_ms: number[];
  min: (number | null)[];
  max: (number | null)[];
  mean: (number | null)[];
  count: number[];
  good: number[];
  cause: (string | null)[];
}

export interface Trend {
  series: Series[];
  transitions: Transition[];
  /** There are older ones within the span; the city alone says so. */
  transitions_cut?: boolean;
}

export interface Area {
  id: string;
  name: Text;
}

export interface Device {
  id: string;
  name: Text;
  bus: string;
  unit: number;
}

/** An output as configured. */
export interface OutputOfSite {
  /** False: no cause switches it. Left out by an older daemon. */
  armed?: boolean;
  id: string;
  name: Text;
  area: string;
  device: string;
  kind: string;
  latching: boolean;
  min_run_ms?: number;
  /** What the field device takes when nobody writes to it any more; null where the site file does not say. */
  fail_safe?: 'on' | 'off' | 'hold' | null;
}

export interface Effect {
  causes: string[];
  outputs: string[];
}

/** What a site is made of; the plant adds its people, the city its registry. */
export interface SiteShape {
  id: string;
  name: Text;
  digest: string;
  areas: Area[];
  devices: Device[];
  points: Point[];
  outputs: OutputOfSite[];
  effects: Effect[];
}

/** An output as it is now. */
export interface Output {
  id: string;
  demand: boolean;
  feedback: boolean | null;
  cause: string | null;
  since_ms: number;
}

export interface Horn {
  sounding: boolean;
  priority: Priority | null;
  silenced: boolean;
}
