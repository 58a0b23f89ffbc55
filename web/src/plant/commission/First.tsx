import { useState } from 'preact/hooks';
import type { Failure } from '../../api/call';
import { Button } from '../../control/Button';
import { Field, Input } from '../../control/Field';
import { shared } from '../../i18n/shared';
import { Refusal } from '../../notice/Notice';
import { plant } from '../plant';
import { addPerson } from './calls';
import { workbook } from './draft';
import { commission as say } from './messages';

/** The first person of a blank gateway: let in by the code on its console, with a PIN of their own from then on. */
export function First() {
  const [code, setCode] = useState('');
  const [called, setCalled] = useState('');
  const [id, setId] = useState('');
  const [pin, setPin] = useState('');
  const [again, setAgain] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const differs = again !== '' && again !== pin;
  const ready = code !== '' && called !== '' && id !== '' && pin.length >= 4 && again === pin;
  const send = async (): Promise<void> => {
    const outcome = await addPerson({ code, id, name: called, role: 'maintenance', pin });
    setFailure(outcome.ok ? null : outcome.failure);
    if (!outcome.ok) return;
    await plant.askWho();
    await plant.askSite();
    await workbook.load();
  };
  return (
    <form
      class="card form first"
      aria-label={say('first.title')}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) void send();
      }}
    >
      <h2>{say('first.title')}</h2>
      <p>{say('first.what')}</p>
      <Field label={say('first.code')} hint={say('first.code-hint')}>
        <Input name="code" value={code} onText={setCode} inputMode="numeric" autocomplete="off" placeholder="1234-5678" />
      </Field>
      <div class="pair">
        <Field label={say('person.name')}>
          <Input name="called" value={called} onText={setCalled} autocomplete="off" maxLength={40} />
        </Field>
        <Field label={say('person.id')} hint={say('person.id-hint')}>
          <Input name="id" value={id} onText={setId} literal autocomplete="off" maxLength={40} />
        </Field>
        <Field label={shared('person.pin')} hint={say('person.pin-hint')}>
          <Input name="pin" type="password" inputMode="numeric" value={pin} onText={setPin} autocomplete="new-password" />
        </Field>
        <Field label={say('first.again')} wrong={differs ? say('first.differs') : null}>
          <Input name="again" type="password" inputMode="numeric" value={again} onText={setAgain} autocomplete="new-password" />
        </Field>
      </div>
      {failure && <Refusal failure={failure} />}
      <div>
        <Button type="submit" look="main" disabled={!ready}>
          {say('first.send')}
        </Button>
      </div>
    </form>
  );
}
