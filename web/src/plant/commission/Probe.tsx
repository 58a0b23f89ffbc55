import { useEffect, useState } from 'preact/hooks';
import { parameter, set } from '../../address/address';
import type { Failure } from '../../api/call';
import { Button, Chip } from '../../control/Button';
import { Field, Input, Select } from '../../control/Field';
import { Refusal } from '../../notice/Notice';
import { asPerson } from '../session';
import { probe } from './calls';
import { commission as say } from './messages';
import { ProbeRow } from './ProbeRow';
import type { Probed, Target } from './shape';
import { TargetFields } from './TargetFields';

const TABLES = ['holding', 'input', 'coil', 'discrete-input'];
/** While it is followed, the range is read this often: what is changed at the sensor shows in the line that moves. */
const FOLLOW_MS = 1_000;

const whole = (name: string, usual: number): number => {
  const text = parameter(name);
  return text !== null && /^\d+$/.test(text) ? Number(text) : usual;
};

function targetHere(): Target {
  const kind = parameter('kind');
  const line = parameter('baud') === null ? {} : { baud: whole('baud', 9_600), parity: parameter('parity') ?? 'none', stop_bits: whole('stop', 1) };
  return { kind: kind === 'tcp' || kind === 'rtu-over-tcp' ? kind : 'rtu', at: parameter('at') ?? '', ...line };
}

/** Reads a range of one unit and shows every decoding side by side; one of them becomes a point. */
export function Probe() {
  const target = targetHere();
  const [unit, table, start, count] = [whole('unit', 1), parameter('table') ?? 'holding', whole('start', 0), whole('count', 10)];
  const [read, setRead] = useState<Probed | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [following, setFollowing] = useState(false);
  const [all, setAll] = useState(false);
  const here = JSON.stringify([target, unit, table, start, count]);
  useEffect(() => (setRead(null), setFailure(null), setFollowing(false)), [here]);

  const look = async (): Promise<void> => {
    const outcome = await asPerson(() => probe({ target, unit, table, start, count }));
    setFailure(outcome.ok ? null : outcome.failure);
    if (outcome.ok) setRead(outcome.value);
    else setFollowing(false);
  };
  useEffect(() => {
    if (!following) return;
    let ended = false;
    const turn = async (): Promise<void> => {
      await look();
      if (!ended) setTimeout(() => void (ended || turn()), FOLLOW_MS);
    };
    void turn();
    return () => void (ended = true);
  }, [following]);

  const number = (name: string, label: string, value: number) => (
    <Field label={label}>
      <Input value={String(value)} inputMode="numeric" onText={(text) => set({ [name]: text.replace(/\D/g, '') })} />
    </Field>
  );
  return (
    <div class="stack">
      <section class="card form" aria-label={say('probe.what')}>
        <h2>{say('probe.what')}</h2>
        <TargetFields exact target={target} onTarget={(next) => set({ kind: next.kind, at: next.at, baud: next.baud, parity: next.parity, stop: next.stop_bits })} />
        <div class="pair">
          {number('unit', say('probe.unit'), unit)}
          <Field label={say('probe.table')}>
            <Select value={table} choices={TABLES.map((one) => ({ value: one, label: say.orCode('table', one) }))} onChoose={(one) => set({ table: one })} />
          </Field>
          {number('start', say('probe.start'), start)}
          {number('count', say('probe.count'), count)}
        </div>
        {failure && <Refusal failure={failure} />}
        <div class="row">
          <Button look="main" disabled={target.at === ''} onPress={look}>
            {say('probe.read')}
          </Button>
          <Chip on={following} onToggle={() => setFollowing(!following)}>
            {say('probe.follow')}
          </Chip>
          <Chip on={all} onToggle={() => setAll(!all)}>
            {say('probe.all')}
          </Chip>
        </div>
      </section>
      {read && (
        <section class="stack" aria-label={say('probe.decodings')}>
          <p class="muted small">{say('probe.legend')}</p>
          {read.rows.map((row) => (
            <ProbeRow key={row.address} row={row} bus={read.bus} unit={read.unit} all={all} />
          ))}
        </section>
      )}
    </div>
  );
}
