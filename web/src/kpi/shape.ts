/** The alarm figures as docs/api.md gives them. */

import type { Priority } from '../api/shape';

export type Verdict = 'met' | 'manageable' | 'missed' | 'unjudged';

export interface Judged {
  target: number;
  verdict: Verdict;
}

export interface FloodSpan {
  from_ms: number;
  to_ms: number | null;
  annunciations: number;
  most: number;
}

export interface Source {
  alarm: string;
  priority: Priority;
  annunciations: number;
  share: number;
}

export interface StandingAlarm {
  alarm: string;
  priority: Priority;
  since_ms: number | null;
  until_ms: number | null;
}

export interface Chatterer {
  alarm: string;
  priority: Priority;
  annunciations: number;
  episodes: number;
  most: number;
  from_ms: number;
  to_ms: number;
}

export interface Acknowledgement {
  priority: Priority;
  acknowledged: number;
  waiting: number;
  median_ms: number | null;
  p90_ms: number | null;
}

export interface PersonFigures {
  actor: string;
  acknowledged: number;
  shelved: number;
  silenced: number;
  median_ms: number | null;
  p90_ms: number | null;
}

export interface Kpi {
  from_ms: number;
  to_ms: number;
  record_from_ms: number | null;
  days: number;
  enough: boolean;
  annunciations: number;
  rate: Judged & { average: number | null; worst: number; worst_from_ms: number | null; most: number };
  intervals: Judged & { total: number; over: number; share: number | null };
  floods: Judged & { total: number; share: number | null; list: FloodSpan[] };
  sources: Judged & { total: number; share: number | null; list: Source[] };
  standing: Judged & { total: number; worst_day: number; list: StandingAlarm[] };
  chattering: Judged & { total: number; count: number; window_s: number; list: Chatterer[] };
  priorities: (Judged & { priority: Priority; annunciations: number; share: number | null })[];
  acknowledgement: Acknowledgement[];
  people: PersonFigures[];
  truncated: boolean;
  signals: Signal[];
}

export interface Proposal {
  parameter: 'deadband' | 'off-delay' | 'on-delay';
  now: number;
  proposed: number;
  trips_after: number;
  later_ms: number;
}

/** What the recorded signal of a chattering alarm says. */
export interface Signal {
  alarm: string;
  unit: string;
  decimals: number;
  found: { trips: number; peak_to_peak: number | null; longest_return_ms: number; proposals: Proposal[] } | null;
  why: 'no-signal' | 'not-told' | 'too-few-trips' | null;
}

/** Annunciations of the last ten minutes, and since when they are a flood. */
export interface Flood {
  count: number;
  since_ms: number | null;
}

export const NO_FLOOD: Flood = { count: 0, since_ms: null };
