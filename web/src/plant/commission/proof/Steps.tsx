import { useState } from 'preact/hooks';
import type { Failure, Outcome } from '../../../api/call';
import { ReasonDialog } from '../../../alarm/ReasonDialog';
import { Button } from '../../../control/Button';
import { Field, Input } from '../../../control/Field';
import { Refusal } from '../../../notice/Notice';
import { decimal } from '../../../value/decimal';
import { proof as say } from './messages';
import type { Draft, Ended, Seen, Step, Whole } from './shape';
import type { Acts } from './Subject';

interface StepsProps {
  shown: Whole;
  draft: Draft;
  act: Acts;
  again: () => Promise<void>;
  onEnd: (ended: Ended) => void;
}

/** The steps of a test, the present one open: what to apply, what is seen, and taking it. */
export function Steps({ shown, draft, act, again, onEnd }: StepsProps) {
  const [chosen, setChosen] = useState<number | null>(null);
  const [asking, setAsking] = useState<'skip-step' | 'finish' | 'abandon' | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const open = draft.steps.filter(isOpen).length;
  const first = draft.steps.findIndex(isOpen);
  const present = chosen ?? (first < 0 ? draft.steps.length - 1 : first);
  const done = async (outcome: Outcome<unknown>): Promise<void> => {
    setFailure(outcome.ok ? null : outcome.failure);
    if (outcome.ok) setChosen(null);
    await again();
  };
  const ended = (outcome: Outcome<Ended>): Outcome<Ended> => {
    if (outcome.ok) onEnd(outcome.value);
    else setFailure(outcome.failure);
    return outcome;
  };
  const closed = (): void => setAsking(null);
  return (
    <section class="card pad stack" aria-label={say.orCode('kind', draft.kind)}>
      <ol class="proof-steps">
        {draft.steps.map((step, number) => (
          <li key={number}>
            <StepHead shown={shown} step={step} on={number === present} onChoose={() => (setChosen(number), setFailure(null))} />
            {number === present && <StepBody key={number} shown={shown} draft={draft} step={step} number={number} act={act} done={done} onSkip={() => setAsking('skip-step')} />}
          </li>
        ))}
      </ol>
      {failure && <Refusal failure={failure} />}
      <div class="row">
        <Button look="main" onPress={() => (open > 0 ? setAsking('finish') : act.finish(null).then(ended))}>
          {say('finish')}
        </Button>
        <Button onPress={() => setAsking('abandon')}>{say('abandon')}</Button>
      </div>
      {asking === 'skip-step' && (
        <ReasonDialog title={say('skip-step')} what={say('skip-step.what')} onClose={closed} onSend={(reason) => act.skipStep(present, reason).then((outcome) => (void done(outcome), outcome))} />
      )}
      {asking === 'finish' && <ReasonDialog title={say('finish')} what={say('finish.open', { count: open })} onClose={closed} onSend={(reason) => act.finish(reason).then(ended)} />}
      {asking === 'abandon' && <ReasonDialog title={say('abandon')} what={say('abandon.what', { id: shown.id })} onClose={closed} onSend={(reason) => act.abandon(reason).then(ended)} />}
    </section>
  );
}

const isOpen = (step: Step): boolean => !step.found && !step.left && !step.skipped;
const counts = (step: Step): Seen | null => step.left ?? step.found ?? null;

function StepHead({ shown, step, on, onChoose }: { shown: Whole; step: Step; on: boolean; onChoose: () => void }) {
  const seen = counts(step);
  const value = (one: Seen | null | undefined): string => (one ? decimal(one.value, shown.decimals ?? 1) : '');
  return (
    <button type="button" class="proof-step" aria-expanded={on} onClick={onChoose}>
      <span class="grow">
        {say.orCode('step', step.kind)} {step.alarm ?? ''}
      </span>
      <span class="number muted">
        {say('expected')} {decimal(step.expected, shown.decimals ?? 1)} ± {step.tolerance} {shown.unit}
      </span>
      {step.skipped && <span>{say('step.skipped', { reason: step.skipped })}</span>}
      {step.found && (
        <span class="number">
          {say('seen.found')} {value(step.found)}
        </span>
      )}
      {step.left && (
        <span class="number">
          {say('seen.left')} {value(step.left)}
        </span>
      )}
      {seen && <span class={seen.good ? 'proof-good' : 'proof-bad strong'}>{seen.good ? say('verdict.pass') : say('verdict.fail')}</span>}
    </button>
  );
}

interface StepBodyProps {
  shown: Whole;
  draft: Draft;
  step: Step;
  number: number;
  act: Acts;
  done: (outcome: Outcome<unknown>) => Promise<void>;
  onSkip: () => void;
}

function StepBody({ shown, draft, step, number, act, done, onSkip }: StepBodyProps) {
  const [applied, setApplied] = useState('');
  const { seen } = draft;
  const plan = shown.plans?.find((plan) => plan.kind === draft.kind);
  const current = plan?.steps[number]?.expected_ma ?? null;
  const typed = applied.trim() === '' ? null : Number(applied);
  const wrong = typed !== null && !Number.isFinite(typed);
  const take = (as: 'found' | 'left') => act.take(number, as, typed).then(done);
  const was = counts(step);
  return (
    <div class="stack proof-body">
      <p class="proof-figures">
        <span>
          {say('expected')} <b class="number">{decimal(step.expected, shown.decimals ?? 1)}</b> {shown.unit}
          {current !== null && <span class="muted number"> ({current.toFixed(2)} mA)</span>}
        </span>
        <span data-still={seen.still !== null}>
          {say('seen')} {seen.still ? <><b class="number">{decimal(seen.still.value, shown.decimals ?? 1)}</b> {shown.unit}</> : <span class="muted">{say('moving')}</span>}
        </span>
      </p>
      <p>{seen.on.length > 0 ? say('alarms.on', { ids: seen.on.join(' ') }) : say('alarms.none')}</p>
      {was && !was.good && <Wrong seen={was} />}
      <Field label={say('applied')} wrong={wrong ? say('applied.wrong') : null}>
        <Input value={applied} onText={setApplied} maxLength={12} invalid={wrong} />
      </Field>
      <div class="row">
        <Button look="main" disabled={wrong || !seen.still} onPress={() => take('found')}>
          {step.found ? say('take-again') : say('take')}
        </Button>
        {step.found && (
          <Button disabled={wrong || !seen.still} onPress={() => take('left')}>
            {say('adjusted')}
          </Button>
        )}
        <Button onPress={onSkip}>{say('skip-step')}</Button>
      </div>
    </div>
  );
}

function Wrong({ seen }: { seen: Seen }) {
  return (
    <>
      {seen.missing && seen.missing.length > 0 && <p class="proof-bad">{say('alarms.missing', { ids: seen.missing.join(' ') })}</p>}
      {seen.unexpected && seen.unexpected.length > 0 && <p class="proof-bad">{say('alarms.unexpected', { ids: seen.unexpected.join(' ') })}</p>}
    </>
  );
}
