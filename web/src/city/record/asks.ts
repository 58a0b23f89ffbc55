/** The regulator's questions: what each needs, how it stands in an address, and the links of its answer and of its files. */

import { query } from '../../api/call';
import type { Text } from '../../api/shape';
import { ZONE_NAME } from '../../clock/format';
import type { Language } from '../../i18n/language';
import type { Question, Range } from '../question';

/** `alarms` has a page of its own with a picture; the others are tables. */
export const ASKS = ['alarms', 'timeline', 'acts', 'silent', 'blind', 'proofs', 'sources', 'coverage', 'ranking', 'trend', 'late'] as const;
export type Ask = (typeof ASKS)[number];

export const FORMATS = ['csv', 'xlsx', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

export const BYS = ['town', 'sector', 'hazard', 'site', 'alarm'] as const;
export type By = (typeof BYS)[number];

/** What a question takes beside the site and the town. */
export const TAKES: Record<Ask, { site?: true; span?: true; minutes?: number; by?: true }> = {
  alarms: { span: true },
  timeline: { site: true, span: true },
  acts: { span: true },
  silent: { minutes: 10 },
  blind: { span: true },
  proofs: {},
  sources: { span: true, minutes: 1_440 },
  coverage: { site: true, span: true },
  ranking: { span: true, by: true },
  trend: { span: true, by: true },
  late: { span: true },
};

export const readAsk = (text: string | null): Ask => ASKS.find((ask) => ask === text) ?? 'alarms';
export const readBy = (text: string | null): By => BYS.find((by) => by === text) ?? 'town';

export interface Narrowed {
  ask: Ask;
  question: Question;
  range: Range;
  minutes: number | null;
  by: By;
}

function parameters({ ask, question, range, minutes, by }: Narrowed): Record<string, string | number | null> {
  const takes = TAKES[ask];
  return {
    site: question.site,
    town: question.town,
    from_ms: takes.span ? Math.round(range.from_ms) : null,
    to_ms: takes.span ? Math.round(range.to_ms) : null,
    priority: ask === 'alarms' || takes.by ? question.priorities.join(',') : null,
    condition: ask === 'alarms' ? question.conditions.join(',') : null,
    unacknowledged_over_s: ask === 'alarms' ? question.over_s : null,
    minutes: takes.minutes === undefined ? null : minutes,
    by: takes.by ? by : null,
    zone: ZONE_NAME,
  };
}

export const answerPath = (asked: Narrowed, page: { cursor: string | null; limit: number }): string => `/api/questions/${asked.ask}?${query({ ...parameters(asked), ...page })}`;

export const fileLink = (asked: Narrowed, format: Format, language: Language): string => `/api/export/${asked.ask}?${query({ ...parameters(asked), format, lang: language })}`;

export const caseLink = (site: string, range: Range, language: Language): string =>
  `/api/sites/${encodeURIComponent(site)}/case?${query({ from_ms: Math.round(range.from_ms), to_ms: Math.round(range.to_ms), zone: ZONE_NAME, lang: language })}`;

export type Kind = 'text' | 'code' | 'whole' | 'number' | 'time' | 'lasting' | 'flag' | 'share';
export type Cell = string | number | boolean | null | Text;

export interface TablePage {
  columns: readonly { key: string; kind: Kind; head: Text }[];
  rows: readonly (readonly Cell[])[];
  next_cursor: string | null;
  /** There are more rows than this question ever answers. */
  is_cut: boolean;
  from_ms: number;
  to_ms: number;
  took_ms: number;
}
