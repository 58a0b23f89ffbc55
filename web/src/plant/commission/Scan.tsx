import { useEffect, useState } from 'preact/hooks';
import { go } from '../../address/address';
import type { Failure, Outcome } from '../../api/call';
import { useLoaded } from '../../api/loaded';
import { Button, Chip } from '../../control/Button';
import { Field, Input } from '../../control/Field';
import { Failed, Refusal, Skeleton } from '../../notice/Notice';
import { asPerson } from '../session';
import { askScan, beginScan, endScan } from './calls';
import { FoundCard } from './FoundCard';
import { commission as say } from './messages';
import type { Scan as ScanNow, Target } from './shape';
import { TargetFields } from './TargetFields';

/** A running search is looked at this often. */
const LOOK_MS = 700;

/** Finds units on a line or at addresses; each found one becomes a device of the draft. */
export function Scan() {
  const scan = useLoaded('scan', (signal) => askScan(signal), LOOK_MS);
  const now = scan.value;
  if (!now) return scan.failure ? <Failed failure={scan.failure} onRetry={scan.again} /> : <Skeleton lines={6} />;
  return (
    <div class="stack">
      {now.state === 'running' ? <Running scan={now} again={scan.again} /> : <Ask scan={now} again={scan.again} />}
      <Results scan={now} />
    </div>
  );
}

type Parts = { scan: ScanNow; again: () => Promise<void> };

function Ask({ scan, again }: Parts) {
  const [target, setTarget] = useState<Target>(scan.target ?? { kind: 'rtu', at: '' });
  const [units, setUnits] = useState('');
  const [thorough, setThorough] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => setFailure(null), [target, units, thorough]);
  const begin = async (): Promise<void> => {
    const outcome: Outcome<ScanNow> = await asPerson(() => beginScan({ target, thorough, ...(units === '' ? {} : { units }) }));
    setFailure(outcome.ok ? null : outcome.failure);
    await again();
  };
  return (
    <section class="card form" aria-label={say('scan.where')}>
      <h2>{say('scan.where')}</h2>
      <TargetFields target={target} onTarget={setTarget} />
      <Field label={say('scan.units')} hint={say('scan.units-hint')}>
        <Input value={units} onText={setUnits} literal autocomplete="off" placeholder="1-16" />
      </Field>
      {target.kind === 'rtu' && (
        <div class="chips" role="group" aria-label={say('scan.mode')}>
          <Chip on={!thorough} onToggle={() => setThorough(false)}>
            {say('scan.quick')}
          </Chip>
          <Chip on={thorough} onToggle={() => setThorough(true)}>
            {say('scan.thorough')}
          </Chip>
          <span class="muted small">{say(thorough ? 'scan.thorough-hint' : 'scan.quick-hint')}</span>
        </div>
      )}
      {failure && <Refusal failure={failure} />}
      <div class="row">
        <Button look="main" disabled={target.at === ''} onPress={begin}>
          {say('scan.begin')}
        </Button>
        <span class="muted small">{say('scan.reads-only')}</span>
      </div>
    </section>
  );
}

function Running({ scan, again }: Parts) {
  const { number, count, at, unit } = scan.step;
  const end = async (): Promise<void> => {
    await asPerson(endScan);
    await again();
  };
  return (
    <section class="card form" aria-label={say('scan.running')}>
      <p class="strong" role="status">
        {say('scan.running')}
      </p>
      <p class="number">{say('scan.step', { number, count, at, unit })}</p>
      <progress max={Math.max(1, count)} value={number} aria-label={say('scan.running')} />
      <div class="row">
        <Button onPress={end}>{say('scan.end')}</Button>
      </div>
    </section>
  );
}

function Results({ scan }: { scan: ScanNow }) {
  if (scan.state === 'none') return null;
  const nothing = scan.state !== 'running' && scan.found.length === 0;
  return (
    <section class="stack" aria-label={say('scan.found')}>
      {scan.state !== 'running' && <h2>{say(scan.state === 'cancelled' ? 'scan.cancelled' : 'scan.done', { count: scan.found.length })}</h2>}
      {scan.found.map((found) => (
        <FoundCard key={`${found.at} ${found.unit}`} found={found} />
      ))}
      {nothing && <p class="muted">{say('scan.nothing')}</p>}
      {scan.garbled.map((garbled) => (
        <p key={garbled.at} class="hint-line">
          {say('scan.garbled', { at: garbled.at, units: garbled.units.join(', ') })}
        </p>
      ))}
      {scan.closed.map((closed) => (
        <p key={closed} class="hint-line">
          {say('scan.closed', { reason: closed })}
        </p>
      ))}
      {scan.held.length > 0 && <p class="hint-line">{say('scan.held', { at: scan.held.join(', ') })}</p>}
      {scan.found.length > 0 && scan.state !== 'running' && (
        <div class="row">
          <Button look="main" onPress={() => go('commissioning', { step: 'points' })}>
            {say('scan.to-points')}
          </Button>
        </div>
      )}
    </section>
  );
}
