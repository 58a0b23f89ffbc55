import { useState } from 'preact/hooks';
import type { Failure } from '../../../api/call';
import { Button } from '../../../control/Button';
import { Refusal } from '../../../notice/Notice';
import { proof as say } from './messages';
import type { Ended, Run } from './shape';
import type { Acts } from './Subject';

interface RunViewProps {
  run: Run;
  running: boolean;
  act: Acts;
  id: string;
  onEnd: (ended: Ended) => void;
}

/** An output at work: what is demanded, and when its feedback came and went. */
export function RunView({ run, running, act, onEnd }: RunViewProps) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const finish = async (): Promise<void> => {
    const outcome = await act.finish(null);
    if (outcome.ok) onEnd(outcome.value);
    else setFailure(outcome.failure);
  };
  return (
    <section class="card pad stack">
      {running && <p role="status">{say('run.runs')}</p>}
      <dl class="facts">
        <dt>{say('run.on')}</dt>
        <dd class="number">{after(run.on_after_ms)}</dd>
        <dt>{say('run.off')}</dt>
        <dd class="number">{after(run.off_after_ms)}</dd>
        <dt>{say('run.timeout')}</dt>
        <dd class="number">{after(run.timeout_ms)}</dd>
      </dl>
      {failure && <Refusal failure={failure} />}
      <div>
        <Button look="main" disabled={running} onPress={finish}>
          {say('finish')}
        </Button>
      </div>
    </section>
  );
}

const after = (ms: number | null): string => (ms === null ? say('run.not-seen') : say('seconds', { count: (ms / 1000).toFixed(1) }));
