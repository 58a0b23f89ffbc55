import { useState } from 'preact/hooks';
import type { Failure } from '../../../api/call';
import { useLoaded } from '../../../api/loaded';
import { Button, Chip } from '../../../control/Button';
import { Field, Input } from '../../../control/Field';
import { name } from '../../../i18n/language';
import { Empty, Refusal } from '../../../notice/Notice';
import { Reading } from '../../../value/Reading';
import { plant } from '../../plant';
import type { PlantSite } from '../../shape';
import { asPerson } from '../../session';
import { arm } from '../calls';
import { workbook } from '../draft';
import { commission as say } from '../messages';
import { all } from '../proof/calls';
import { refusedIds, taken } from '../takeover';

const PROOFS_EVERY_MS = 5_000;

type Thing = PlantSite['points'][number] | PlantSite['outputs'][number];

/** What runs and is held back: each is armed by its proof, or skipped by somebody who says why. */
export function Arm() {
  const site = plant.site.value;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [reasons, setReasons] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState<Failure | null>(null);
  const proofs = useLoaded('prove', all, PROOFS_EVERY_MS);
  if (!site || site.blank) return <Empty why={say('prove.blank')} next={say('prove.blank-next')} />;
  const held: Thing[] = [...site.points, ...site.outputs].filter((one) => one.armed === false);
  if (held.length === 0) return <p class="strong" role="status">{say('arm.all')}</p>;
  const proved = new Set(proofs.value?.subjects.filter((one) => one.state === 'proved').map((one) => one.id));
  // Skipped on the proof page: the reason given there is the one here, unless another is written.
  const skipped = new Map(proofs.value?.subjects.flatMap((one) => (one.state === 'skipped' && one.newest?.reason ? [[one.id, one.newest.reason] as const] : [])));
  const reasonOf = (id: string): string => reasons[id] ?? (proved.has(id) ? '' : (skipped.get(id) ?? ''));
  const refused = failure ? refusedIds(failure) : [];
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
    setFailure(null);
  };
  const send = async (): Promise<void> => {
    const before = site.digest;
    const skips = [...chosen].map((id) => ({ id, reason: reasonOf(id).trim() })).filter((skip) => skip.reason !== '');
    const ids = [...chosen].filter((id) => !skips.some((skip) => skip.id === id));
    await workbook.flush();
    const outcome = await asPerson(() => arm(workbook.draft.value?.revision ?? 0, ids, skips));
    setFailure(outcome.ok ? null : outcome.failure);
    if (outcome.ok && (await taken(before))) setChosen(new Set());
  };
  return (
    <div class="stack">
      <div class="row">
        <p class="grow">{say('arm.held', { count: held.length })}</p>
        <Button onPress={() => (setChosen(new Set(held.map((one) => one.id))), setFailure(null))}>{say('arm.choose-all')}</Button>
      </div>
      <ul class="stack">
        {held.map((one) => (
          <Held key={one.id} thing={one} on={chosen.has(one.id)} proved={proved.has(one.id)} refused={refused.includes(one.id)} reason={reasonOf(one.id)} onToggle={() => toggle(one.id)} onReason={(reason) => setReasons({ ...reasons, [one.id]: reason })} />
        ))}
      </ul>
      {failure && (
        <div role="alert" class="stack">
          {refused.length > 0 && <p class="strong">{say('arm.refused', { ids: refused.join(', ') })}</p>}
          <Refusal failure={failure} />
        </div>
      )}
      <div>
        <Button look="main" disabled={chosen.size === 0} onPress={send}>
          {say('arm.send', { count: chosen.size })}
        </Button>
      </div>
    </div>
  );
}

interface HeldProps {
  thing: Thing;
  on: boolean;
  proved: boolean;
  refused: boolean;
  reason: string;
  onToggle: () => void;
  onReason: (reason: string) => void;
}

function Held({ thing, on, proved, refused, reason, onToggle, onReason }: HeldProps) {
  return (
    <li class="card form held" data-held={thing.id} data-refused={refused}>
      <div class="row">
        <Chip on={on} onToggle={onToggle} label={say('arm.choose', { name: name(thing.name) })}>
          {on ? '✓' : '+'} {say('arm.arm')}
        </Chip>
        <span class="grow">
          <span class="strong">{name(thing.name)}</span>
          <span class="muted small block">{thing.id}</span>
        </span>
        {'unit' in thing && <Reading value={plant.picture.value(thing.id).value} point={thing} />}
        <span class={proved ? 'tag' : 'tag text-fault'}>{say(proved ? 'arm.proved' : 'arm.not-proved')}</span>
      </div>
      {on && !proved && (
        <Field label={say('arm.reason')} hint={say('arm.reason-hint')} wrong={refused ? say('arm.needs-reason') : null}>
          <Input value={reason} onText={onReason} maxLength={200} />
        </Field>
      )}
    </li>
  );
}
