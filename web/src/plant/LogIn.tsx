import { useEffect, useRef, useState } from 'preact/hooks';
import type { Failure } from '../api/call';
import { Button, Chip } from '../control/Button';
import { Dialog } from '../control/Dialog';
import { Field, Input } from '../control/Field';
import { shared } from '../i18n/shared';
import { sayFailure } from '../notice/Notice';
import { plant as say } from './messages';
import { plant } from './plant';
import { asking, askLogIn } from './session';

/** Who stands at the screen, in the strip; everybody may look, so nobody need. */
export function PersonPart() {
  const person = plant.person.value;
  const [leaving, setLeaving] = useState(false);
  if (!person) return <Button onPress={() => void askLogIn()}>{say('person.log-in')}</Button>;
  return (
    <>
      <Button look="plain" onPress={() => setLeaving(true)} title={say(`role.${person.role}`)}>
        {person.name}
      </Button>
      {leaving && (
        <Dialog title={say('person.log-out')} onClose={() => setLeaving(false)} onSend={() => plant.logOut().then(() => setLeaving(false))} send={say('person.log-out')}>
          <p>{say('person.log-out-what', { name: person.name, role: say(`role.${person.role}`) })}</p>
        </Dialog>
      )}
    </>
  );
}

/** The dialog, wherever it was asked for. */
export function LogInDialog() {
  const answer = asking.value;
  return answer && <Form answer={answer} />;
}

function Form({ answer }: { answer: (cameIn: boolean) => void }) {
  const people = plant.site.value?.people ?? [];
  const [who, setWho] = useState(people.length === 1 ? (people[0]?.id ?? '') : '');
  const [pin, setPin] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const field = useRef<HTMLDivElement>(null);
  useEffect(() => void (who && field.current?.querySelector('input')?.focus()), [who]);
  const send = async (): Promise<void> => {
    const outcome = await plant.logIn(who, pin);
    if (outcome.ok) return answer(true);
    setPin('');
    setFailure(outcome.failure);
  };
  return (
    <Dialog title={say('person.log-in')} onClose={() => answer(false)} onSend={send} send={say('person.log-in')} ready={who !== '' && pin !== ''}>
      <p class="muted">{say('person.why')}</p>
      <div class="chips" role="group" aria-label={say('person.who')}>
        {people.map((person) => (
          <Chip key={person.id} on={person.id === who} onToggle={() => setWho(person.id)}>
            {person.name}
            <span class="muted small">{say(`role.${person.role}`)}</span>
          </Chip>
        ))}
        {people.length === 0 && <span>{say('person.nobody')}</span>}
      </div>
      <div ref={field}>
        <Field label={shared('person.pin')} wrong={failure && wrong(failure)}>
          <Input type="password" inputMode="numeric" autocomplete="off" value={pin} onText={setPin} />
        </Field>
      </div>
    </Dialog>
  );
}

/** One answer for a wrong person and a wrong PIN. */
const wrong = (failure: Failure): string => (failure.status === 401 ? shared('why.wrong-pin') : sayFailure(failure));
