import { useState } from 'preact/hooks';
import type { Failure, Outcome } from '../api/call';
import type { Alarm } from '../api/shape';
import { dateTime } from '../clock/format';
import { now } from '../clock/now';
import { Chip } from '../control/Button';
import { Dialog } from '../control/Dialog';
import { Field, Input, Select } from '../control/Field';
import { name } from '../i18n/language';
import { shared } from '../i18n/shared';
import { Refusal } from '../notice/Notice';
import { SHELVE_MAX_MINUTES, type Shelving } from './acts';

const SPANS = [15, 30, 60, 120, 240, SHELVE_MAX_MINUTES];

interface ShelveDialogProps {
  alarm: Alarm;
  /** Who may be the second person of a P1; null: free text. */
  seconds: readonly { id: string; name: string }[] | null;
  onShelve: (shelving: Shelving) => Promise<Outcome<unknown>>;
  onClose: () => void;
}

/** Shelving names its end and asks for a reason; P1 asks for a second person besides. */
export function ShelveDialog({ alarm, seconds, onShelve, onClose }: ShelveDialogProps) {
  const [minutes, setMinutes] = useState(30);
  const [reason, setReason] = useState('');
  const [who, setWho] = useState('');
  const [secret, setSecret] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const two = alarm.priority === 1;
  const ready = reason.trim() !== '' && (!two || (who !== '' && secret !== ''));
  const send = async (): Promise<void> => {
    const outcome = await onShelve({ minutes, reason: reason.trim(), second: two ? { who, secret } : null });
    if (outcome.ok) return onClose();
    setSecret('');
    setFailure(outcome.failure);
  };
  return (
    <Dialog title={shared('act.shelve')} onClose={onClose} onSend={send} send={shared('act.shelve')} ready={ready}>
      <p>
        {shared('shelve.what', { alarm: `${alarm.id} ${name(alarm.name)}`, until: dateTime(now.value + minutes * 60_000) })}
      </p>
      <div class="chips" role="group" aria-label={shared('shelve.minutes')}>
        {SPANS.map((span) => (
          <Chip key={span} on={span === minutes} onToggle={() => setMinutes(span)}>
            {span < 60 ? shared('span.minutes', { count: span }) : shared('span.hours', { count: span / 60 })}
          </Chip>
        ))}
      </div>
      <Field label={shared('details.reason')}>
        <textarea class="input" value={reason} maxLength={200} required onInput={(event) => setReason(event.currentTarget.value)} />
      </Field>
      {two && (
        <>
          <p class="strong">{shared('shelve.two')}</p>
          <Field label={shared('shelve.second')}>
            {seconds ? (
              <Select value={who} onChoose={setWho} choices={[{ value: '', label: '' }, ...seconds.map((person) => ({ value: person.id, label: person.name }))]} />
            ) : (
              <Input value={who} onText={setWho} autocomplete="off" />
            )}
          </Field>
          <Field label={shared(seconds ? 'person.pin' : 'person.password')}>
            <Input type="password" inputMode={seconds ? 'numeric' : 'text'} autocomplete="off" value={secret} onText={setSecret} />
          </Field>
        </>
      )}
      {failure && <Refusal failure={failure} />}
    </Dialog>
  );
}
