import { ago } from '../clock/Time';
import { now } from '../clock/now';
import { shared } from '../i18n/shared';

interface LinkStateProps {
  word: string;
  state: 'up' | 'behind' | 'down' | 'off' | 'stale';
  since_ms: number;
  /** What waits behind a link that is down, or does not keep up. */
  more?: string;
}

/** One link: its lamp (grey and full when all is well, a magenta diamond when not), its word and since when. */
export function LinkState({ word, state, since_ms, more }: LinkStateProps) {
  const shown = state === 'stale' || state === 'behind' ? 'down' : state;
  return (
    <span class="link-state" data-state={shown} title={more}>
      <span class="lamp" aria-hidden="true" />
      {word}
      <span>{shared(`link.${state}`)}</span>
      {state !== 'off' && <span class="age number">{ago(now.value - since_ms)}</span>}
      {more && <span>{more}</span>}
    </span>
  );
}
