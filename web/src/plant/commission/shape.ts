/** The shapes of the installer's calls, as docs/api.md gives them. The site file is a tree of its own keys; those that no page knows stay as they are. */

import type { Text } from '../../api/shape';

export interface Named {
  id: string;
  name: Text;
}

export interface PersonTree {
  id: string;
  name: string;
  role: 'operator' | 'maintenance';
  pin: string;
}

export interface BusTree {
  id: string;
  kind: 'tcp' | 'rtu-over-tcp' | 'rtu';
  address?: string;
  path?: string;
  baud?: number;
  parity?: string;
  stop_bits?: number;
}

export interface DeviceTree extends Named {
  bus: string;
  unit: number;
  profile?: string;
  /** How long the unit may think before it answers, as the scan measured it. */
  answer_ms?: number;
}

export interface RegisterTree {
  table: string;
  address: number;
  as?: string;
  order?: string;
}

export interface LimitTree {
  set_point?: number | null;
  when?: boolean;
  priority?: number;
}

export interface DateTree {
  $date: string;
}

export interface Unproved {
  by: string;
  date: DateTree;
  reason: string;
}

export interface PointTree extends Named {
  area: string;
  device: string;
  signal?: string;
  register?: RegisterTree;
  kind: string;
  substance?: string | null;
  unit?: string | null;
  range?: [number | null, number | null] | null;
  decimals?: number | null;
  preset?: string | null;
  armed?: boolean | null;
  unproved?: Unproved | null;
  alarms?: Record<string, LimitTree | null> | null;
}

export interface OutputTree extends Named {
  area: string;
  kind: string;
  device: string;
  signal: string;
  latching?: boolean | null;
  min_run_s?: number | null;
  armed?: boolean | null;
  unproved?: Unproved | null;
}

export interface EffectTree {
  causes: string[];
  outputs: string[];
}

export interface SiteTree {
  site: Named & { sign_off?: { by: string; date: DateTree; note?: string } | null };
  screen?: { listen: string };
  person?: PersonTree[];
  area?: Named[];
  bus?: BusTree[];
  device?: DeviceTree[];
  point?: PointTree[];
  output?: OutputTree[];
  effect?: EffectTree[];
  [key: string]: unknown;
}

export interface Draft {
  revision: number;
  site: SiteTree;
  by: string;
  changed_ms: number;
}

export interface State {
  /** No site file yet. */
  blank: boolean;
  /** Nobody is known yet: the code lets the first one in. */
  first: boolean;
  file: string;
  revision: number;
}

export interface Port {
  path: string;
  stable: boolean;
  held: string | null;
}

export interface Target {
  kind: 'tcp' | 'rtu-over-tcp' | 'rtu';
  at: string;
  baud?: number;
  parity?: string;
  stop_bits?: number;
}

export interface Found {
  at: string;
  unit: number;
  any_unit: boolean;
  identity: { vendor: string | null; product: string | null; revision: string | null } | null;
  profiles: { profile: string; fitting: number; status: number }[];
  bus: Omit<BusTree, 'id'>;
  answer_ms: number;
}

export interface Scan {
  state: 'none' | 'running' | 'done' | 'cancelled';
  target: Target | null;
  step: { number: number; count: number; at: string; unit: number };
  found: Found[];
  garbled: { at: string; units: number[] }[];
  closed: string[];
  held: string[];
  started_ms: number;
}

export interface Decoding {
  as: string;
  order: string | null;
  value: number | null;
  looks_physical: boolean;
}

export interface Row {
  table: string;
  address: number;
  word?: number;
  fault?: string;
  readings?: Decoding[];
}

export interface Probed {
  bus: Omit<BusTree, 'id'>;
  unit: number;
  rows: Row[];
}

export interface Profile {
  id: string;
  name: Text;
  source: string;
  signals: { id: string; discrete: boolean; writable: boolean }[];
}

export interface Figure {
  value: number;
  confidence: 'V' | 'M' | 'C';
}

export interface Substance {
  id: string;
  name: Text;
  lel_percent: Figure | null;
  level_1_ppm: Figure | null;
  level_2_ppm: Figure | null;
}

export interface Level {
  set_point: number | null;
  oel_level: number | null;
  when: boolean | null;
  source: string;
  confidence: string;
}

export const LEVELS = ['LL', 'L', 'H', 'HH', 'ON'] as const;
export type LevelName = (typeof LEVELS)[number];

export type Preset = { id: string; kinds: string[]; unit: string | null } & Record<LevelName, Level | null>;

export interface Presets {
  version: number;
  substance: Substance[];
  preset: Preset[];
}

export interface Problem {
  severity: 'error' | 'warning';
  code: string;
  line: number;
  key: string;
  message: Text;
  help: Text;
}

export interface Change {
  part: string;
  id: string | null;
  kind: 'added' | 'removed' | 'changed';
  keys: string[];
}

/** What a draft makes looser than what runs, or takes away. */
export interface Weaker {
  part: string;
  id: string;
  change: 'added' | 'removed' | 'changed';
  key: string | null;
  from: string | null;
  to: string | null;
}

/** What a bus is asked for and can carry; times in milliseconds. */
export interface BusBudget {
  bus: string;
  kind: string;
  baud: number | null;
  scan_ms: number;
  scan_with_silence_ms: number;
  /** Share of the line's time; beyond 1 it cannot be carried. */
  load: number;
  devices: { device: string; unit: number; reads: number; poll_ms: number; period_ms: number; load: number }[];
  tightest: { alarm: string; worst_ms: number; required_ms: number } | null;
}

export interface Checked {
  revision: number;
  ok: boolean;
  problems: Problem[];
  text: string;
  changes: Change[];
  weaker: Weaker[];
  /** Null where the draft is wrong before its buses can be reckoned. */
  budget: { buses: BusBudget[] } | null;
  unproved: string[];
}
