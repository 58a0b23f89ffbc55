import type { Text } from '../../api/shape';
import { Field, Input } from '../../control/Field';
import { commission as say } from './messages';

/** A name in both languages. Whoever has only one lends it to the other on leaving both fields: neither may be empty. */
export function NameFields({ name, onName }: { name: Text; onName: (name: Text) => void }) {
  const lend = (event: FocusEvent & { currentTarget: HTMLElement }): void => {
    if (event.currentTarget.contains(event.relatedTarget as Node | null)) return;
    if (name.zh !== '' && name.en === '') onName({ zh: name.zh, en: name.zh });
    if (name.en !== '' && name.zh === '') onName({ zh: name.en, en: name.en });
  };
  return (
    <div class="pair" onFocusOut={lend}>
      <Field label={say('name.zh')}>
        <Input value={name.zh} onText={(zh) => onName({ ...name, zh })} maxLength={60} />
      </Field>
      <Field label={say('name.en')}>
        <Input value={name.en} onText={(en) => onName({ ...name, en })} maxLength={60} />
      </Field>
    </div>
  );
}
