/** The calls of proof tests. Looking is free; every act asks for a person first. */

import { get, post, type Outcome } from '../../../api/call';
import { asPerson } from '../../session';
import type { Ended, Kind, Made, Of, Proofs, Whole } from './shape';

const address = (of: Of, id: string): string => `/api/prove/${of}/${encodeURIComponent(id)}`;

export const all = (signal: AbortSignal): Promise<Outcome<Proofs>> => get<Proofs>('/api/prove', { signal });
export const one = (of: Of, id: string, signal: AbortSignal): Promise<Outcome<Whole>> => get<Whole>(address(of, id), { signal });
export const reports = (signal: AbortSignal): Promise<Outcome<{ reports: Made[] }>> => get<{ reports: Made[] }>('/api/prove/reports', { signal });

export interface Start {
  kind: Kind;
  under_test?: boolean;
  gas?: string;
  instrument?: string;
  seconds?: number;
  confirm?: boolean;
}

/** What is done to the proof of one point or output. */
export const acts = (of: Of, id: string) => {
  const act = <T>(what: string, body: object): Promise<Outcome<T>> => asPerson(() => post<T>(`${address(of, id)}/${what}`, body));
  return {
    start: (body: Start) => act<Whole>('start', body),
    take: (step: number, as: 'found' | 'left', applied: number | null) => act<Whole>('take', { step, as, applied }),
    skipStep: (step: number, reason: string) => act<Whole>('skip-step', { step, reason }),
    finish: (reason: string | null) => act<Ended>('finish', { reason }),
    abandon: (reason: string) => act<Ended>('abandon', { reason }),
    skip: (reason: string) => act<Ended>('skip', { reason }),
  };
};

export const makeReport = (): Promise<Outcome<Made>> => asPerson(() => post<Made>('/api/prove/reports'));
