/** The shapes of proof tests, as docs/api.md gives them. Times are UTC milliseconds. */

import type { Text } from '../../../api/shape';

export type State = 'proved' | 'overdue' | 'failed' | 'changed' | 'skipped' | 'unproved' | 'clock-doubtful';
export type Kind = 'loop' | 'bump' | 'calibration' | 'output' | 'none';
export type Of = 'points' | 'outputs';

export interface Due {
  due: 'never' | 'now' | 'at' | 'clock-doubtful';
  due_ms: number | null;
  every_days: number | null;
  /** Where the interval comes from; null where the site file says it. */
  practice: Text | null;
}

export interface Done {
  number: number;
  kind: Kind;
  verdict: 'pass' | 'fail' | 'skipped';
  by: string;
  name: string;
  ended_ms: number;
  clock: string;
  reason: string | null;
}

export interface Proved {
  of: Of;
  id: string;
  name: Text;
  area: string;
  state: State;
  proof: Due;
  calibration: Due;
  newest: Done | null;
  proved: Done | null;
  calibrated: Done | null;
  alarm: string | null;
  kinds: Kind[];
  under_way: boolean;
}

export interface Proofs {
  clock: string;
  clock_doubtful: boolean;
  fingerprint: string | null;
  key_trouble: string | null;
  subjects: Proved[];
}

export interface Seen {
  value: number;
  applied: number;
  good: boolean;
  on?: string[];
  came?: string[];
  went?: string[];
  missing?: string[];
  unexpected?: string[];
}

export interface Step {
  kind: string;
  alarm?: string | null;
  expected: number;
  tolerance: number;
  found?: Seen | null;
  left?: Seen | null;
  skipped?: string | null;
}

export interface Run {
  demand_ms: number;
  timeout_ms: number;
  on_after_ms: number | null;
  off_after_ms: number | null;
}

export interface Draft {
  kind: Kind;
  by: string;
  name: string;
  begun_ms: number;
  gas: string | null;
  instrument: string | null;
  under_test: boolean;
  steps: Step[];
  run: Run | null;
  seen: { still: { value: number; spread: number; readings: number } | null; window_ms: number; on: string[]; came: string[]; went: string[]; running: boolean };
}

export interface Plan {
  kind: Kind;
  steps: { kind: string; expected_ma: number | null }[];
}

export interface Whole extends Proved {
  plans?: Plan[];
  unit?: string;
  decimals?: number;
  draft: Draft | null;
}

export interface Ended {
  verdict: 'pass' | 'fail' | 'skipped' | 'abandoned';
}

export interface Made {
  number: number;
  by: string;
  name: string;
  made_ms: number;
  clock: string;
  fingerprint: string;
  digest: string;
  files: string[];
}
