/**
 * The draft of the site file as this page has it. A change shows at once and is kept by the gateway soon after; until it is, the page says so. Where somebody
 * else changed the draft meanwhile, theirs stands and this page says that its own last change is gone.
 */

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Failure, Outcome } from '../../api/call';
import { asPerson } from '../session';
import { askDraft, askState, keepDraft } from './calls';
import type { Draft, SiteTree, State } from './shape';

/** Whoever types changes at every key; the gateway keeps what stands after a rest. */
const KEEP_AFTER_MS = 400;

type Kept = 'kept' | 'waiting' | 'keeping';

class Workbook {
  readonly #draft = signal<Draft | null>(null);
  readonly #state = signal<State | null>(null);
  readonly #kept = signal<Kept>('kept');
  readonly #failure = signal<Failure | null>(null);
  #timer: ReturnType<typeof setTimeout> | null = null;

  get draft(): ReadonlySignal<Draft | null> {
    return this.#draft;
  }
  get state(): ReadonlySignal<State | null> {
    return this.#state;
  }
  get kept(): ReadonlySignal<Kept> {
    return this.#kept;
  }
  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  /** Asks the gateway for what it keeps; a change that is on its way is not overrun. */
  async load(): Promise<void> {
    const [state, draft] = await Promise.all([askState(), askDraft()]);
    if (state.ok) this.#state.value = state.value;
    if (this.#kept.value !== 'kept') return;
    if (draft.ok) this.#draft.value = draft.value;
    this.#failure.value = draft.ok ? null : draft.failure;
  }

  /** Changes the draft: `edit` works on a copy. */
  change(edit: (site: SiteTree) => void): void {
    const before = this.#draft.value;
    if (!before) return;
    const site = structuredClone(before.site);
    edit(site);
    this.#draft.value = { ...before, site };
    if (this.#kept.value !== 'keeping') this.#kept.value = 'waiting';
    this.#later();
  }

  /** Keeps what waits, now; true once everything is kept. */
  async flush(): Promise<boolean> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#kept.value === 'keeping') await new Promise((done) => setTimeout(done, 50));
    if (this.#kept.value === 'waiting') await this.#keep();
    return this.#kept.value === 'kept' && this.#failure.value === null;
  }

  #later(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#keep(), KEEP_AFTER_MS);
  }

  async #keep(): Promise<void> {
    const sent = this.#draft.value;
    if (!sent || this.#kept.value === 'keeping') return this.#later();
    this.#kept.value = 'keeping';
    const outcome: Outcome<Draft> = await asPerson(() => keepDraft(sent.revision, sent.site));
    if (!outcome.ok) return this.#refused(outcome.failure);
    this.#failure.value = null;
    const changed = this.#draft.value !== sent;
    this.#draft.value = changed ? { ...outcome.value, site: this.#draft.value?.site ?? outcome.value.site } : outcome.value;
    this.#kept.value = changed ? 'waiting' : 'kept';
    if (changed) this.#later();
  }

  async #refused(failure: Failure): Promise<void> {
    this.#failure.value = failure;
    this.#kept.value = 'waiting';
    if (failure.code !== 'draft-changed') return;
    const outcome = await askDraft();
    if (!outcome.ok) return;
    this.#draft.value = outcome.value;
    this.#kept.value = 'kept';
  }
}

export const workbook = new Workbook();

// Whoever leaves the page before the gateway has its last change is asked first.
addEventListener('beforeunload', (event) => {
  if (workbook.kept.peek() !== 'kept') event.preventDefault();
});
