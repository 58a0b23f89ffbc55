import { useState } from 'preact/hooks';
import { link, parameter } from '../../address/address';
import { useLoaded } from '../../api/loaded';
import { Chip } from '../../control/Button';
import { name } from '../../i18n/language';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { all } from './proof/calls';
import { dueText, Mark, SETTLED } from './proof/Mark';
import { proof as say } from './proof/messages';
import type { Proved } from './proof/shape';
import { Subject } from './proof/Subject';
import './proof/proof.css';

const EVERY_MS = 5_000;

/** Guided loop, bump and output tests: what is due, and one of them at a time. */
export function Proof() {
  const id = parameter('id');
  const of = parameter('of');
  if (id !== null && (of === 'points' || of === 'outputs')) return <Subject key={`${of}/${id}`} of={of} id={id} />;
  return <List />;
}

function List() {
  const proofs = useLoaded('prove', all, EVERY_MS);
  const [open, setOpen] = useState(true);
  if (!proofs.value) return proofs.failure ? <Failed failure={proofs.failure} stillTrue={say('still-true')} onRetry={proofs.again} /> : <Skeleton lines={8} />;
  const { subjects, clock_doubtful } = proofs.value;
  if (subjects.length === 0) return <Empty why={say('none')} next={say('none-next')} />;
  const shown = open ? subjects.filter((one) => !SETTLED.includes(one.state) || one.under_way) : subjects;
  return (
    <div class="stack">
      {proofs.failure && <Failed failure={proofs.failure} stillTrue={say('still-true')} onRetry={proofs.again} />}
      {clock_doubtful && (
        <p class="refusal" role="alert">
          {say('clock-doubtful')}
        </p>
      )}
      <div class="chips">
        <Chip on={open} onToggle={() => setOpen(true)}>
          {say('filter.open')}
        </Chip>
        <Chip on={!open} onToggle={() => setOpen(false)}>
          {say('filter.all')} {subjects.length}
        </Chip>
      </div>
      {shown.length === 0 && <Empty why={say('nothing-open')} />}
      <ul class="card proofs">
        {shown.map((one) => (
          <li key={`${one.of}/${one.id}`}>
            <Line one={one} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Line({ one }: { one: Proved }) {
  return (
    <a class="proof-line" href={link(['commissioning', 'proof'], { of: one.of, id: one.id })} data-subject={one.id} data-state={one.state}>
      <span class="grow">
        <span class="strong">{one.id}</span> {name(one.name)}
      </span>
      <Mark state={one.state} underWay={one.under_way} />
      <span class="muted small proof-due">
        {say('due')} {dueText(one.proof)}
      </span>
    </a>
  );
}
