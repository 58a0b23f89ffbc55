/** What comes with the gateway and never changes while it runs: device profiles, presets and substances. Asked for once. */

import { signal } from '@preact/signals';
import type { Outcome } from '../../api/call';
import { askPresets, askProfiles } from './calls';
import type { Preset, Presets, Profile, Substance } from './shape';

const RETRY_MS = 3_000;

const profilesHeld = signal<readonly Profile[]>([]);
const presetsHeld = signal<Presets | null>(null);
let asked = false;

export const profiles = (): readonly Profile[] => profilesHeld.value;
export const profile = (id: string | undefined): Profile | null => profilesHeld.value.find((one) => one.id === id) ?? null;
export const presets = (): readonly Preset[] => presetsHeld.value?.preset ?? [];
export const preset = (id: string | null | undefined): Preset | null => presets().find((one) => one.id === id) ?? null;
export const substances = (): readonly Substance[] => presetsHeld.value?.substance ?? [];
export const substance = (id: string | null | undefined): Substance | null => substances().find((one) => one.id === id) ?? null;

/** Asks for all of it, and again until it comes. */
export function loadReference(): void {
  if (asked) return;
  asked = true;
  void until(askProfiles, (answer) => (profilesHeld.value = answer.profiles));
  void until(askPresets, (answer) => (presetsHeld.value = answer));
}

async function until<T>(ask: () => Promise<Outcome<T>>, take: (answer: T) => void): Promise<void> {
  const outcome = await ask();
  if (outcome.ok) take(outcome.value);
  else setTimeout(() => void until(ask, take), RETRY_MS);
}
