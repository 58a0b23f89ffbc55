import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../control/Button';
import { Icon } from '../frame/Icon';
import { shared } from '../i18n/shared';
import { dateTime, fromField, toField } from './format';
import './moment.css';

/** `2026-11-25 14:03`, also with seconds or a T. */
const WRITTEN = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?$/;

interface MomentProps {
  value_ms: number;
  label: string;
  onChange: (ms: number) => void;
}

/** A moment of the site's wall time, written as every time on these screens is; a browser's own field would write it as its machine does. Its picker helps on a phone. */
export function Moment({ value_ms, label, onChange }: MomentProps) {
  const stands = dateTime(value_ms).slice(0, 16);
  const [draft, setDraft] = useState(stands);
  const [wrong, setWrong] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  useEffect(() => (setDraft(stands), setWrong(false)), [stands]);
  const take = (text: string): void => {
    const ms = WRITTEN.test(text.trim()) ? fromField(text.trim().replace(' ', 'T')) : null;
    setWrong(ms === null);
    if (ms !== null && text.trim() !== stands) onChange(ms);
  };
  return (
    <div class="field moment-field">
      <label class="moment">
        <span class="label">{label}</span>
        <input class="input number" value={draft} aria-invalid={wrong} maxLength={19} spellcheck={false} autocomplete="off" onInput={(event) => setDraft(event.currentTarget.value)} onChange={(event) => take(event.currentTarget.value)} />
      </label>
      <span class="pick">
        <Button look="plain" icon label={shared('moment.pick', { label })} onPress={() => picker.current?.showPicker()}>
          <Icon name="calendar" size={18} />
        </Button>
        <input ref={picker} type="datetime-local" tabIndex={-1} aria-hidden="true" value={toField(value_ms)} onChange={(event) => take(event.currentTarget.value)} />
      </span>
      {wrong && (
        <span class="wrong" role="alert">
          {shared('moment.wrong')}
        </span>
      )}
    </div>
  );
}
