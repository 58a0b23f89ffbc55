import { useState } from 'preact/hooks';
import type { Failure, Outcome } from '../../../api/call';
import { Button, Chip } from '../../../control/Button';
import { Dialog } from '../../../control/Dialog';
import { Field, Input } from '../../../control/Field';
import { name } from '../../../i18n/language';
import { Refusal } from '../../../notice/Notice';
import type { Start } from './calls';
import { proof as say } from './messages';
import type { Kind, Whole } from './shape';

interface StartFormProps {
  shown: Whole;
  onStart: (body: Start) => Promise<Outcome<Whole>>;
}

/** How a test begins: what is put on, by what instrument, and whether its alarms sound. */
export function StartForm({ shown, onStart }: StartFormProps) {
  const [kind, setKind] = useState<Kind>(shown.kinds[0] ?? 'loop');
  const [gas, setGas] = useState('');
  const [instrument, setInstrument] = useState('');
  const [underTest, setUnderTest] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const start = async (body: Start): Promise<void> => {
    const outcome = await onStart(body);
    setFailure(outcome.ok ? null : outcome.failure);
  };
  if (shown.of === 'outputs') return <OutputForm shown={shown} start={start} failure={failure} />;
  return (
    <section class="card pad stack">
      <div class="chips" role="group" aria-label={say('kind')}>
        {shown.kinds.map((one) => (
          <Chip key={one} on={one === kind} onToggle={() => setKind(one)}>
            {say.orCode('kind', one)}
          </Chip>
        ))}
      </div>
      <Field label={say('gas')}>
        <Input value={gas} onText={setGas} maxLength={200} />
      </Field>
      <Field label={say('instrument')}>
        <Input value={instrument} onText={setInstrument} maxLength={200} />
      </Field>
      <label class="proof-check">
        <input type="checkbox" checked={underTest} onChange={(event) => setUnderTest(event.currentTarget.checked)} />
        <span>
          {say('under-test')}
          <span class="muted small">{say('under-test.hint')}</span>
        </span>
      </label>
      {failure && <Refusal failure={failure} />}
      <div>
        <Button look="main" onPress={() => start({ kind, gas, instrument, under_test: underTest })}>
          {say('begin')}
        </Button>
      </div>
    </section>
  );
}

/** An output really works: it is said for how long, and confirmed. */
function OutputForm({ shown, start, failure }: { shown: Whole; start: (body: Start) => Promise<void>; failure: Failure | null }) {
  const [seconds, setSeconds] = useState('5');
  const [confirming, setConfirming] = useState(false);
  const count = Number(seconds);
  const ready = Number.isInteger(count) && count >= 1 && count <= 60;
  return (
    <section class="card pad stack">
      <Field label={say('run.seconds')}>
        <Input value={seconds} onText={setSeconds} inputMode="numeric" invalid={!ready} maxLength={2} />
      </Field>
      {failure && <Refusal failure={failure} />}
      <div>
        <Button look="danger" disabled={!ready} onPress={() => setConfirming(true)}>
          {say('run.start')}
        </Button>
      </div>
      {confirming && (
        <Dialog
          title={say('run.start')}
          danger
          send={say('run.start')}
          onClose={() => setConfirming(false)}
          onSend={() => start({ kind: 'output', seconds: count, confirm: true }).then(() => setConfirming(false))}
        >
          <p>{say('run.confirm', { name: name(shown.name), seconds: count })}</p>
        </Dialog>
      )}
    </section>
  );
}
