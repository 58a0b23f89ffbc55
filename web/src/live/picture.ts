/**
 * What the stream has told so far: values and alarms, by key. Changes are drawn together once a frame, so a flood of alarms costs one drawing a frame
 * however many come. What waits for the next frame is held by key, the last one wins: it is bounded by the number of points and alarms.
 */

import { batch, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Alarm, Value } from '../api/shape';

export const alarmKey = (alarm: { site: string; id: string }): string => `${alarm.site}/${alarm.id}`;
export const pointKey = (site: string, point: string): string => `${site}/${point}`;

/** Runs a drawing soon: at the next frame, or at once where the page is hidden and has no frames. */
export type Soon = (draw: () => void) => void;

const frame: Soon = (draw) => {
  if (typeof document === 'undefined' || document.hidden) setTimeout(draw, 0);
  else requestAnimationFrame(draw);
};

export class Picture {
  readonly #alarms = signal<ReadonlyMap<string, Alarm>>(new Map());
  readonly #values = new Map<string, Signal<Value | null>>();
  readonly #soon: Soon;
  readonly #waitingAlarms = new Map<string, Alarm>();
  readonly #waitingValues = new Map<string, Value>();
  #waiting = false;
  /** The site of values that name none (the plant's). */
  readonly #site: string;

  constructor(site = '', soon: Soon = frame) {
    this.#site = site;
    this.#soon = soon;
  }

  /** Every alarm that is not normal, by `alarmKey`. */
  get alarms(): ReadonlySignal<ReadonlyMap<string, Alarm>> {
    return this.#alarms;
  }

  /** One point's value; null until one is known. */
  value(point: string, site = this.#site): ReadonlySignal<Value | null> {
    return this.#held(pointKey(site, point));
  }

  /** A whole new picture: what it does not name is gone. */
  replace(alarms: Alarm[], values: Value[] | null): void {
    this.#waitingAlarms.clear();
    this.#waitingValues.clear();
    batch(() => {
      this.#alarms.value = new Map(alarms.filter((alarm) => alarm.state !== 'NORM').map((alarm) => [alarmKey(alarm), alarm]));
      if (values) this.#replaceValues(values);
    });
  }

  takeAlarm(alarm: Alarm): void {
    this.#waitingAlarms.set(alarmKey(alarm), alarm);
    this.#schedule();
  }

  takeValues(values: Value[]): void {
    for (const value of values) this.#waitingValues.set(pointKey(value.site ?? this.#site, value.point), value);
    this.#schedule();
  }

  #held(key: string): Signal<Value | null> {
    let held = this.#values.get(key);
    if (!held) {
      held = signal(null);
      this.#values.set(key, held);
    }
    return held;
  }

  #replaceValues(values: Value[]): void {
    const named = new Map(values.map((value) => [pointKey(value.site ?? this.#site, value.point), value]));
    for (const [key, held] of this.#values) if (!named.has(key)) held.value = null;
    for (const [key, value] of named) this.#held(key).value = value;
  }

  #schedule(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#soon(() => {
      this.#waiting = false;
      batch(() => this.#draw());
    });
  }

  #draw(): void {
    for (const [key, value] of this.#waitingValues) this.#held(key).value = value;
    this.#waitingValues.clear();
    if (this.#waitingAlarms.size === 0) return;
    const alarms = new Map(this.#alarms.value);
    for (const [key, alarm] of this.#waitingAlarms) {
      if (alarm.state === 'NORM') alarms.delete(key);
      else alarms.set(key, alarm);
    }
    this.#waitingAlarms.clear();
    this.#alarms.value = alarms;
  }
}
