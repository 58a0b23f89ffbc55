import { useState } from 'preact/hooks';
import { set } from '../../../address/address';
import { useLoaded } from '../../../api/loaded';
import { ReasonDialog } from '../../../alarm/ReasonDialog';
import { dateTime } from '../../../clock/format';
import { Button } from '../../../control/Button';
import { name } from '../../../i18n/language';
import { Failed, Skeleton } from '../../../notice/Notice';
import { plant } from '../../plant';
import { acts, one } from './calls';
import { dueText, Mark } from './Mark';
import { proof as say } from './messages';
import { RunView } from './RunView';
import type { Due, Ended, Of, Whole } from './shape';
import { StartForm } from './StartForm';
import { Steps } from './Steps';

/** Fast enough that a value is seen to stand still. */
const EVERY_MS = 500;

/** One point or output: how it stands, and its test. */
export function Subject({ of, id }: { of: Of; id: string }) {
  const whole = useLoaded<Whole>(`${of}/${id}`, (signal) => one(of, id, signal), EVERY_MS);
  const [skipping, setSkipping] = useState(false);
  const [ended, setEnded] = useState<Ended | null>(null);
  const shown = whole.value;
  const act = acts(of, id);
  const over = (outcome: Ended): void => {
    setEnded(outcome);
    void whole.again();
  };
  if (!shown) return whole.failure ? <Failed failure={whole.failure} stillTrue={say('still-true')} onRetry={whole.again} /> : <Skeleton lines={8} />;
  return (
    <div class="stack">
      <div class="row proof-head">
        <Button onPress={() => set({ of: null, id: null }, 'push')}>{say('back')}</Button>
        <h2 class="grow">
          {id} {name(shown.name)}
        </h2>
        <Mark state={shown.state} underWay={shown.under_way} />
      </div>
      {whole.failure && <Failed failure={whole.failure} stillTrue={say('still-true')} onRetry={whole.again} />}
      <Facts shown={shown} />
      {ended && (
        <p class="proof-verdict strong" role="status" data-verdict={ended.verdict}>
          {say(`verdict.${ended.verdict}`)}
        </p>
      )}
      {plant.person.value?.role === 'operator' && <p class="refusal">{say('no-role')}</p>}
      {!shown.draft && (
        <>
          <StartForm shown={shown} onStart={(body) => act.start(body).then((outcome) => (outcome.ok && (setEnded(null), void whole.again()), outcome))} />
          <div>
            <Button onPress={() => setSkipping(true)}>{say('skip')}</Button>
          </div>
        </>
      )}
      {shown.draft?.run && <RunView run={shown.draft.run} running={shown.draft.seen.running} act={act} id={id} onEnd={over} />}
      {shown.draft && !shown.draft.run && <Steps key={shown.draft.begun_ms} shown={shown} draft={shown.draft} act={act} again={whole.again} onEnd={over} />}
      {skipping && (
        <ReasonDialog
          title={say('skip')}
          what={say('skip.what', { id })}
          onClose={() => setSkipping(false)}
          onSend={(reason) => act.skip(reason).then((outcome) => (outcome.ok && over(outcome.value), outcome))}
        />
      )}
    </div>
  );
}

function Facts({ shown }: { shown: Whole }) {
  const { newest, proof, calibration } = shown;
  return (
    <dl class="facts card pad">
      <dt>{say('due')}</dt>
      <dd>{when(proof)}</dd>
      {calibration.every_days !== null && (
        <>
          <dt>{say('calibration')}</dt>
          <dd>{when(calibration)}</dd>
        </>
      )}
      {newest && (
        <>
          <dt>{say('last')}</dt>
          <dd>
            {say.orCode('kind', newest.kind)} · {say.orCode('verdict', newest.verdict)} {newest.name} · {dateTime(newest.ended_ms)}
            {newest.reason && <div class="muted">{newest.reason}</div>}
          </dd>
        </>
      )}
    </dl>
  );
}

function when(due: Due): string {
  if (due.every_days === null) return dueText(due);
  const source = due.practice === null ? say('source.site') : name(due.practice);
  return `${dueText(due)} · ${say('every', { days: due.every_days, source })}`;
}

export type Acts = ReturnType<typeof acts>;
