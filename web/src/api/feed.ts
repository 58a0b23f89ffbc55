/**
 * The event stream, and the knowledge of whether it lives. A frozen page that looks alive is the worst fault a screen can have: a stream that says
 * nothing for STALE_AFTER_MS is `stale`, whatever the browser thinks of the connection, and is opened anew until it speaks.
 */

import { signal, type ReadonlySignal } from '@preact/signals';

export type FeedState = 'connecting' | 'live' | 'stale';

/** A tick comes at least every 2 s (docs/api.md): two may be lost before the screen says so. */
export const STALE_AFTER_MS = 5_000;
/** A silent stream is given up and opened again after this long; each further time likewise. */
const REOPEN_AFTER_MS = 8_000;
const CHECK_EVERY_MS = 500;

export type Events = Record<string, (data: unknown) => void>;

/** What tests put in place of the browser. */
export interface FeedParts {
  open: (url: string) => EventSource;
  now: () => number;
}

const browser: FeedParts = { open: (url) => new EventSource(url), now: () => performance.now() };

export class Feed {
  readonly #state = signal<FeedState>('connecting');
  readonly #quiet_ms = signal(0);
  readonly #url: string;
  readonly #events: Events;
  readonly #parts: FeedParts;
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #heard: number;
  #opened: number;

  constructor(url: string, events: Events, parts: FeedParts = browser) {
    this.#url = url;
    this.#events = events;
    this.#parts = parts;
    this.#heard = this.#opened = parts.now();
  }

  get state(): ReadonlySignal<FeedState> {
    return this.#state;
  }

  /** Whole seconds, in ms, since the last event. */
  get quiet_ms(): ReadonlySignal<number> {
    return this.#quiet_ms;
  }

  start(): void {
    if (this.#timer !== null) return;
    this.#heard = this.#parts.now();
    this.#open();
    this.#timer = setInterval(() => this.check(), CHECK_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#source?.close();
    this.#source = null;
  }

  /** Judges the silence; runs by itself every CHECK_EVERY_MS. */
  check(): void {
    const now = this.#parts.now();
    const quiet = now - this.#heard;
    this.#quiet_ms.value = Math.floor(quiet / 1000) * 1000;
    if (quiet < STALE_AFTER_MS) return;
    this.#state.value = 'stale';
    if (now - this.#opened >= REOPEN_AFTER_MS) this.#open();
  }

  #open(): void {
    this.#source?.close();
    this.#opened = this.#parts.now();
    const source = this.#parts.open(this.#url);
    for (const [name, take] of Object.entries(this.#events)) {
      source.addEventListener(name, (event) => this.#take(source, take, (event as MessageEvent<string>).data));
    }
    this.#source = source;
  }

  #take(source: EventSource, take: (data: unknown) => void, text: string): void {
    if (source !== this.#source) return;
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      // A garbled event is no sign of life.
      return;
    }
    this.#heard = this.#parts.now();
    this.#quiet_ms.value = 0;
    this.#state.value = 'live';
    take(data);
  }
}
