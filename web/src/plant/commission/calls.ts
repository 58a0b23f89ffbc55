/** The installer's calls. What changes something needs a person of maintenance. */

import { call, get, post, query, type Outcome } from '../../api/call';
import type { Person } from '../shape';
import type { Checked, Draft, Port, Presets, Probed, Profile, Scan, SiteTree, State, Target } from './shape';

export interface NewPerson {
  code?: string;
  id: string;
  name: string;
  role: 'operator' | 'maintenance';
  pin: string;
}

export interface ProbeAsked {
  target: Target;
  unit: number;
  table: string;
  start: number;
  count: number;
}

const at = (path: string): string => `/api/commission/${path}`;

export const askState = (): Promise<Outcome<State>> => get<State>('/api/commission');
export const askPorts = (): Promise<Outcome<{ ports: Port[] }>> => get(at('ports'));
export const askProfiles = (): Promise<Outcome<{ profiles: Profile[] }>> => get(at('profiles'));
export const askPresets = (): Promise<Outcome<Presets>> => get(at('presets'));
export const askDraft = (): Promise<Outcome<Draft>> => get(at('draft'));
export const askCheck = (signal?: AbortSignal): Promise<Outcome<Checked>> => get(at('check'), signal ? { signal } : {});
export const askScan = (signal?: AbortSignal): Promise<Outcome<Scan>> => get(at('scan'), signal ? { signal } : {});

export const keepDraft = (revision: number, site: SiteTree): Promise<Outcome<Draft>> => call('PUT', at('draft'), { body: { revision, site } });
export const clearDraft = (revision: number): Promise<Outcome<void>> => call('DELETE', `${at('draft')}?${query({ revision })}`);
export const addPerson = (person: NewPerson): Promise<Outcome<{ person: Person; revision: number }>> => post(at('person'), person);
export const beginScan = (asked: { target: Target; units?: string; thorough: boolean }): Promise<Outcome<Scan>> => post(at('scan'), asked);
export const endScan = (): Promise<Outcome<void>> => call('DELETE', at('scan'));
export const probe = (asked: ProbeAsked): Promise<Outcome<Probed>> => post(at('probe'), asked);
export const applyDraft = (revision: number): Promise<Outcome<unknown>> => post(at('apply'), { revision });
export const arm = (revision: number, ids: string[], skips: { id: string; reason: string }[]): Promise<Outcome<unknown>> => post(at('arm'), { revision, ids, skips });
