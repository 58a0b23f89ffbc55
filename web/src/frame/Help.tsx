import { KINDS } from '../alarm/state';
import { Mark } from '../alarm/Symbol';
import { Dialog } from '../control/Dialog';
import { shared } from '../i18n/shared';

const KEYS = ['/', 'j', 'k', 'Enter', 'a', 's', 't', 'Escape', '?'] as const;

/** Keys and shapes on one page. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={shared('frame.help')} onClose={onClose} wide>
      <section class="stack">
        <h3>{shared('help.keys')}</h3>
        <dl class="help-keys">
          {KEYS.map((key) => (
            <>
              <dt key={key}>
                <kbd>{key === 'Escape' ? 'Esc' : key}</kbd>
              </dt>
              <dd>{shared(`key.${key}`)}</dd>
            </>
          ))}
        </dl>
      </section>
      <section class="stack">
        <h3>{shared('help.shapes')}</h3>
        <div class="legend">
          {KINDS.map((kind) => (
            <div key={kind}>
              <Mark kind={kind} />
              <p class="small muted">{shared(`help.kind.${kind}`)}</p>
            </div>
          ))}
        </div>
        <p class="small muted">{shared('help.three-acts')}</p>
      </section>
    </Dialog>
  );
}
