/** Reading is free, acting needs a person: an act that nobody stands behind asks for the PIN first, and then goes on. */

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Outcome } from '../api/call';
import { plant } from './plant';

const asked = signal<((cameIn: boolean) => void) | null>(null);

/** Where set, the log-in dialog is open and answers it. */
export const asking: ReadonlySignal<((cameIn: boolean) => void) | null> = asked;

/** Opens the log-in dialog; true once somebody is logged in. */
export function askLogIn(): Promise<boolean> {
  asked.value?.(false);
  return new Promise((resolve) => {
    asked.value = (cameIn) => {
      asked.value = null;
      resolve(cameIn);
    };
  });
}

/** Runs an act as the person at the screen. */
export async function asPerson<T>(act: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  if (plant.person.value === null && !(await askLogIn())) return CANCELLED;
  const outcome = await act();
  if (outcome.ok || outcome.failure.code !== 'not-logged-in') return outcome;
  // The session ended meanwhile (a shift without use, or a restart of the gateway).
  plant.person.value = null;
  return (await askLogIn()) ? act() : CANCELLED;
}

const CANCELLED: Outcome<never> = { ok: false, failure: { status: 0, code: 'cancelled', message: '', detail: null } };
