import { useEffect, useState } from 'preact/hooks';
import { Chip } from '../../control/Button';
import { Field, Input, Select } from '../../control/Field';
import { askPorts } from './calls';
import { commission as say } from './messages';
import type { Port, Target } from './shape';

const KINDS = ['rtu', 'tcp', 'rtu-over-tcp'] as const;
const BAUDS = [1_200, 2_400, 4_800, 9_600, 14_400, 19_200, 38_400, 57_600, 115_200];
const PARITIES = ['none', 'even', 'odd'];

/** Where to look: a port of this machine, or an address that the installer names. `exact` asks for the settings of a line; a search tries them all. */
export function TargetFields({ target, onTarget, exact }: { target: Target; onTarget: (target: Target) => void; exact?: boolean }) {
  return (
    <>
      <div class="chips" role="group" aria-label={say('target.kind')}>
        {KINDS.map((kind) => (
          <Chip key={kind} on={kind === target.kind} onToggle={() => onTarget({ kind, at: '' })}>
            {say(`target.${kind}`)}
          </Chip>
        ))}
      </div>
      {target.kind === 'rtu' ? <PortField target={target} onTarget={onTarget} /> : <HostField target={target} onTarget={onTarget} exact={exact ?? false} />}
      {target.kind === 'rtu' && exact && <LineFields target={target} onTarget={onTarget} />}
    </>
  );
}

type Fields = { target: Target; onTarget: (target: Target) => void };

function HostField({ target, onTarget, exact }: Fields & { exact: boolean }) {
  return (
    <Field label={say('target.address')} hint={say(exact ? 'target.address-one' : 'target.address-range')}>
      <Input value={target.at} onText={(at) => onTarget({ ...target, at: at.trim() })} literal autocomplete="off" placeholder={exact ? '192.168.1.10:502' : '192.168.1.10-40'} />
    </Field>
  );
}

function PortField({ target, onTarget }: Fields) {
  const [ports, setPorts] = useState<readonly Port[] | null>(null);
  useEffect(() => {
    void askPorts().then((outcome) => outcome.ok && setPorts(outcome.value.ports));
  }, []);
  const choose = (at: string): void => onTarget({ ...target, at });
  const only = ports?.length === 1 ? ports[0] : undefined;
  useEffect(() => {
    if (only && !only.held && target.at === '') choose(only.path);
  }, [only]);
  if (!ports) return null;
  if (ports.length === 0) return <p class="muted">{say('target.no-port')}</p>;
  return (
    <div class="stack" role="radiogroup" aria-label={say('target.port')}>
      {ports.map((port) => (
        <label key={port.path} class="choice">
          <input type="radio" name="port" checked={port.path === target.at} disabled={port.held !== null} onChange={() => choose(port.path)} />
          <span>
            <span class="path">{port.path}</span>
            <span class="muted small">{port.held ? say('target.held', { bus: port.held }) : say(port.stable ? 'target.stable' : 'target.unstable')}</span>
          </span>
        </label>
      ))}
    </div>
  );
}

function LineFields({ target, onTarget }: Fields) {
  return (
    <div class="pair">
      <Field label={say('target.baud')}>
        <Select value={String(target.baud ?? 9_600)} choices={BAUDS.map((baud) => ({ value: String(baud), label: String(baud) }))} onChoose={(baud) => onTarget({ ...target, baud: Number(baud) })} />
      </Field>
      <Field label={say('target.parity')}>
        <Select value={target.parity ?? 'none'} choices={PARITIES.map((parity) => ({ value: parity, label: say.orCode('parity', parity) }))} onChoose={(parity) => onTarget({ ...target, parity })} />
      </Field>
      <Field label={say('target.stop-bits')}>
        <Select value={String(target.stop_bits ?? 1)} choices={['1', '2'].map((bits) => ({ value: bits, label: bits }))} onChoose={(bits) => onTarget({ ...target, stop_bits: Number(bits) })} />
      </Field>
    </div>
  );
}
