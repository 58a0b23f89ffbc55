import { useState } from 'preact/hooks';
import type { Failure } from '../../api/call';
import { Shape } from '../../alarm/Symbol';
import type { Output, OutputOfSite } from '../../api/shape';
import { Time } from '../../clock/Time';
import { Button } from '../../control/Button';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Refusal } from '../../notice/Notice';
import { plant as say } from '../messages';
import { plant } from '../plant';
import { asPerson } from '../session';

/** One output: what is asked of it, and what it answers. Where the two differ, that is the news. */
export function OutputLine({ output, now }: { output: OutputOfSite; now: Output | null }) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const reset = async (): Promise<void> => {
    const outcome = await asPerson(() => plant.resetOutput(output.id));
    setFailure(outcome.ok || outcome.failure.code === 'cancelled' ? null : outcome.failure);
  };
  const differs = now !== null && now.feedback !== now.demand;
  return (
    <li class="output" data-output={output.id} data-demand={now?.demand || undefined}>
      <span class="sign live">{differs && <Shape kind="fault" />}</span>
      <span class="who">
        <span>{name(output.name)}</span>
        <span class="small muted">
          {output.id} · {say.orCode('kind', output.kind)}
        </span>
      </span>
      <span class="ask live">
        {now && (
          <>
            <span class={now.demand ? 'flag on' : 'flag'}>{say(now.demand ? 'output.demanded' : 'output.idle')}</span>
            <span class={differs ? 'small text-fault strong' : 'small muted'}>{feedback(now)}</span>
          </>
        )}
      </span>
      {now?.demand && (
        <span class="since small muted">
          <Time ms={now.since_ms} />
          {output.latching && <Button onPress={reset}>{shared('act.reset')}</Button>}
        </span>
      )}
      {failure && <Refusal failure={failure} />}
    </li>
  );
}

function feedback(now: Output): string {
  if (now.feedback === null) return say('output.feedback-none', { cause: shared.orCode('cause', now.cause ?? 'not-yet-read') });
  return say(now.feedback ? 'output.feedback-on' : 'output.feedback-off');
}
