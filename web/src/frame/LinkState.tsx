import { ago } from '../clock/Time';
import { now } from '../clock/now';
import { shared } from '../i18n/shared';

interface LinkStateProps {
  word: string;
  state: 'up' | 'down' | 'off' | 'stale';
  since_ms: number;
  /** What waits behind a link that is down. */
  more?: string;
}

/** One link: its lamp (grey and full when up, a magenta diamond when down), its word and since when. */
export function LinkState({ word, state, since_ms, more }: LinkStateProps) {
  const shown = state === 'stale' ? 'down' : state;
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
