import { useState } from 'preact/hooks';
import { go, link } from '../../../address/address';
import type { Failure } from '../../../api/call';
import { useLoaded } from '../../../api/loaded';
import { Button } from '../../../control/Button';
import { name } from '../../../i18n/language';
import { Failed, Refusal, Skeleton } from '../../../notice/Notice';
import { plant } from '../../plant';
import { asPerson } from '../../session';
import { applyDraft, askCheck } from '../calls';
import { workbook } from '../draft';
import { commission as say } from '../messages';
import type { Change, Checked, Problem, Weaker } from '../shape';
import { refusedIds, taken } from '../takeover';
import { list } from '../tree';
import { Budget } from './Budget';

/** What is wrong with the draft, what it changes, and the button that makes it the site that runs. */
export function Check() {
  const draft = workbook.draft.value;
  const kept = workbook.kept.value;
  // What is still on its way would be checked as it was before.
  const checked = useLoaded(kept === 'kept' && draft ? `check ${draft.revision}` : null, (signal) => askCheck(signal));
  const { value, failure } = checked;
  if (failure) return <Failed failure={failure} onRetry={checked.again} />;
  if (!value) return <Skeleton lines={8} />;
  return (
    <div class="stack">
      <Verdict checked={value} />
      <Problems problems={value.problems} />
      <WeakerList weaker={value.weaker} />
      <Changes changes={value.changes} />
      {value.budget && <Budget buses={value.budget.buses} />}
      <details class="card form">
        <summary>{say('check.text')}</summary>
        <pre class="site-text" tabIndex={0}>
          {value.text}
        </pre>
      </details>
      <Apply checked={value} />
    </div>
  );
}

function Verdict({ checked }: { checked: Checked }) {
  const errors = checked.problems.filter((problem) => problem.severity === 'error').length;
  const warnings = checked.problems.length - errors;
  return (
    <p class={checked.ok ? 'strong' : 'strong text-fault'} role="status" data-ok={checked.ok}>
      {checked.ok ? say('check.ok', { warnings }) : say('check.refused', { errors, warnings })}
    </p>
  );
}

function Problems({ problems }: { problems: readonly Problem[] }) {
  return (
    <ul class="stack">
      {problems.map((problem) => {
        const step = stepOf(problem.key);
        return (
          <li key={`${problem.line} ${problem.key} ${problem.code}`} class="card problem" data-severity={problem.severity}>
            <div class="row">
              <span class="tag">{say(`check.${problem.severity}`)}</span>
              <span class="strong grow">{name(problem.message)}</span>
              {step && (
                <a class="button" href={link('commissioning', step)}>
                  {say('check.mend')}
                </a>
              )}
            </div>
            <p class="muted small">
              {whose(problem.key)} · {say('check.line', { line: problem.line })} · {problem.key}
            </p>
            <p>{name(problem.help)}</p>
          </li>
        );
      })}
    </ul>
  );
}

/** `point[3].alarms.HH.set_point`: the part and its number. */
const placeOf = (key: string): { part: string; at: number } => {
  const [, part = '', at = '0'] = /^(\w+)(?:\[(\d+)\])?/.exec(key) ?? [];
  return { part, at: Number(at) };
};

function whose(key: string): string {
  const { part, at } = placeOf(key);
  const site = workbook.draft.value?.site;
  const all = site?.[part];
  const one = Array.isArray(all) ? (all[at] as { id?: string } | undefined) : undefined;
  return [say.orCode('part', part), one?.id].filter(Boolean).join(' ');
}

/** Where a problem is mended. */
function stepOf(key: string): Record<string, string> | null {
  const { part, at } = placeOf(key);
  const point = list(workbook.draft.value?.site.point)[at];
  if (part === 'point') return key.includes('.alarms') || key.includes('.preset') ? { step: 'limits' } : { step: 'points', ...(point ? { open: point.id } : {}) };
  const steps: Record<string, string> = { site: key.includes('sign_off') ? 'limits' : 'site', screen: 'site', person: 'site', area: 'site', bus: 'scan', device: 'points', output: 'outputs', effect: 'outputs' };
  return steps[part] ? { step: steps[part] } : null;
}

/** What an alarm would say later or not at all: before everything else that changes. */
function WeakerList({ weaker }: { weaker: readonly Weaker[] }) {
  if (weaker.length === 0) return null;
  const value = (text: string | null): string => text ?? say('check.absent');
  return (
    <section class="card form weaker" data-weaker={weaker.length}>
      <h3>{say('check.weaker', { count: weaker.length })}</h3>
      <ul>
        {weaker.map((one) => (
          <li key={`${one.part} ${one.id} ${one.key}`}>
            {one.change !== 'changed' && `${say(`change.${one.change}`)} `}
            {say.orCode('part', one.part)} <span class="strong">{one.id}</span>
            {one.change === 'changed' && ` ${one.key}: ${value(one.from)} → ${value(one.to)}`}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Changes({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) return <p class="muted">{say('check.same')}</p>;
  return (
    <details class="card form">
      <summary>{say('check.changes', { count: changes.length })}</summary>
      <ul>
        {changes.map((change) => (
          <li key={`${change.part} ${change.id}`}>
            {say(`change.${change.kind}`)} {say.orCode('part', change.part)} <span class="strong">{change.id}</span> <span class="muted small">{change.keys.join(', ')}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Apply({ checked }: { checked: Checked }) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const [late, setLate] = useState(false);
  const apply = async (): Promise<void> => {
    const before = plant.site.value?.digest ?? '';
    const outcome = await asPerson(() => applyDraft(checked.revision));
    setFailure(outcome.ok ? null : outcome.failure);
    if (!outcome.ok) return;
    if (await taken(before)) go('commissioning', { step: 'prove' });
    else setLate(true);
  };
  const holdBack = (): void =>
    workbook.change((tree) => {
      for (const one of [...list(tree.point), ...list(tree.output)]) if (checked.unproved.includes(one.id)) one.armed = false;
    });
  const ids = failure ? refusedIds(failure) : checked.unproved;
  return (
    <section class="card form" aria-label={say('apply.title')}>
      <h3>{say('apply.title')}</h3>
      <p class="muted">
        {say('apply.what')} {plant.site.value?.blank && say('apply.log-in')}
      </p>
      {ids.length > 0 && (
        <div class="stack" role="alert">
          <p class="strong">{say('apply.unproved', { ids: ids.join(', ') })}</p>
          <div>
            <Button onPress={holdBack}>{say('apply.hold-back')}</Button>
          </div>
        </div>
      )}
      {failure && <Refusal failure={failure} />}
      {late && <p class="text-fault">{say('apply.late')}</p>}
      <div>
        <Button look="main" disabled={!checked.ok || checked.unproved.length > 0 || checked.changes.length === 0} onPress={apply}>
          {say('apply.send')}
        </Button>
      </div>
    </section>
  );
}
