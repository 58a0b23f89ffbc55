/** The time of the daemon that the screen looks at: its last tick and what passed since, so that a wrong clock on the screen's machine harms nothing. */

import { signal, type ReadonlySignal } from '@preact/signals';

const present = signal(Date.now());
let offset_ms = 0;

/** UTC ms, renewed every second. */
export const now: ReadonlySignal<number> = present;

/** The daemon's time this instant, for reckoning ranges. */
export const nowExactly = (): number => Date.now() + offset_ms;

/** Sets the clock by what the daemon says. Small differences are the network's, and moving the clock by them would make it stutter. */
export function setClock(time_ms: number): void {
  const offset = time_ms - Date.now();
  if (Math.abs(offset - offset_ms) < 250) return;
  offset_ms = offset;
  present.value = nowExactly();
}

/** Starts the clock; returns what stops it. */
export function runClock(): () => void {
  const timer = setInterval(() => (present.value = nowExactly()), 1000);
  return () => clearInterval(timer);
}
