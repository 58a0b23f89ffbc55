import { link } from '../address/address';
import { KINDS, type Kind } from '../alarm/state';
import { Shape } from '../alarm/Symbol';
import { shared } from '../i18n/shared';

/** Unacknowledged alarms by priority: shape, count and word; each leads to its own list. */
export function Counts({ counts }: { counts: Record<Kind, number> }) {
  return (
    <nav class="counts live" aria-label={shared('frame.unacknowledged')}>
      {KINDS.map((kind) => {
        const count = counts[kind];
        const word = shared(`priority.${kind}`);
        return (
          <a key={kind} href={link('alarms', { kind: String(kind), state: 'unacknowledged' })} data-none={count === 0 || undefined} title={word}>
            <Shape kind={kind} flashing={count > 0} />
            <span>{count}</span>
            <span class={count > 0 ? `word text-${kind}` : 'word'}>{word}</span>
            <span class="hidden">{shared('stand.unacknowledged')}</span>
          </a>
        );
      })}
    </nav>
  );
}
