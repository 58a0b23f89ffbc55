/**
 * Orders on their way to a gateway. The city answers 202 at once; whether the alarm obeyed comes later in the stream, as a transition that names the
 * command or as a refusal. The stream may be quicker than the 202, so answers that nobody waits for yet are held for a moment.
 */

import { signal, type ReadonlySignal } from '@preact/signals';
import { done, type Outcome } from '../api/call';
import type { Transition } from '../api/shape';
import type { Refused } from './shape';

/** The city itself says `timeout` after 10 s; a screen whose stream broke meanwhile gives up a little later. */
export const ANSWER_WITHIN_MS = 13_000;
/** Answers held for a 202 that is still on its way; the oldest goes first. An answer to another screen's order is never asked for. */
const HELD_MAX = 256;

/** What of a transition or refusal says that an order was obeyed or not. */
type Answer = Outcome<void>;

export class Orders {
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  readonly #held = new Map<string, Answer>();
  readonly #pending = signal<ReadonlyMap<string, string>>(new Map());

  /** By `alarmKey`: the act that is under way. */
  get pending(): ReadonlySignal<ReadonlyMap<string, string>> {
    return this.#pending;
  }

  /** Sends by `post` and waits for what the gateway says. A second order for the same alarm waits for nothing: the first is still under way. */
  async run(alarm: string, act: string, post: () => Promise<Outcome<{ command: string }>>): Promise<Answer> {
    if (this.#pending.value.has(alarm)) return refused('under-way');
    this.#mark(alarm, act);
    try {
      const sent = await post();
      return sent.ok ? await this.#answer(sent.value.command) : sent;
    } finally {
      this.#mark(alarm, null);
    }
  }

  takeTransition(transition: Transition): void {
    if (transition.command) this.#take(transition.command, done(undefined));
  }

  takeRefused({ command, why }: Refused): void {
    this.#take(command, refused(why === 'timeout' ? 'gateway-timeout' : why));
  }

  #answer(command: string): Promise<Answer> {
    const held = this.#held.get(command);
    this.#held.delete(command);
    if (held) return Promise.resolve(held);
    return new Promise((resolve) => {
      const finish = (answer: Answer): void => {
        clearTimeout(timer);
        this.#waiting.delete(command);
        resolve(answer);
      };
      const timer = setTimeout(() => finish(refused('gateway-timeout')), ANSWER_WITHIN_MS);
      this.#waiting.set(command, finish);
    });
  }

  #take(command: string, answer: Answer): void {
    const finish = this.#waiting.get(command);
    if (finish) return finish(answer);
    this.#held.set(command, answer);
    const oldest = this.#held.keys().next();
    if (this.#held.size > HELD_MAX && !oldest.done) this.#held.delete(oldest.value);
  }

  #mark(alarm: string, act: string | null): void {
    const pending = new Map(this.#pending.value);
    if (act === null) pending.delete(alarm);
    else pending.set(alarm, act);
    this.#pending.value = pending;
  }
}

const refused = (code: string): Outcome<never> => ({ ok: false, failure: { status: 409, code, message: '', detail: null } });
