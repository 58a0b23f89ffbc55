import { Shape } from '../../alarm/Symbol';
import { Time } from '../../clock/Time';
import { plant as say } from '../messages';
import type { BusNow, DeviceNow } from '../shape';
import { share } from './size';

/** From here on a bus has no room for a retry. */
const BUSY_PERCENT = 80;

export function Buses({ buses }: { buses: readonly BusNow[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={say('system.buses')}>
      <table class="table live">
        <thead>
          <tr>
            <th>{say('bus.name')}</th>
            <th>{say('machine.state')}</th>
            <th>{say('bus.utilisation')}</th>
            <th class="right">{say('machine.polls')}</th>
            <th class="right">{say('machine.errors')}</th>
            <th class="right">{say('bus.late')}</th>
          </tr>
        </thead>
        <tbody>
          {buses.map((bus) => (
            <tr key={bus.id}>
              <td>
                <span class="strong">{bus.id}</span> <span class="muted small">{say.orCode('bus', bus.kind)}</span>
              </td>
              <td>
                <State state={bus.state} />
              </td>
              <td>
                <Utilisation percent={share(bus.utilisation, 1)} />
              </td>
              <td class="right">{bus.polls.toLocaleString('en')}</td>
              <td class="right">{bus.errors.toLocaleString('en')}</td>
              <td class="right">{bus.late_replies.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Devices({ devices, called }: { devices: readonly DeviceNow[]; called: (id: string) => string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={say('system.devices')}>
      <table class="table live">
        <thead>
          <tr>
            <th>{say('device.name')}</th>
            <th>{say('device.where')}</th>
            <th>{say('machine.state')}</th>
            <th class="right">{say('machine.polls')}</th>
            <th class="right">{say('device.timeouts')}</th>
            <th class="right">{say('device.bad-frames')}</th>
            <th class="right">{say('device.exceptions')}</th>
            <th>{say('device.last')}</th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <tr key={device.id}>
              <td>
                <span class="strong">{device.id}</span> <span class="muted">{called(device.id)}</span>
              </td>
              <td class="nowrap">
                {device.bus} #{device.unit}
              </td>
              <td>
                <State state={device.state} />
              </td>
              <td class="right">{device.polls.toLocaleString('en')}</td>
              <td class="right">{device.timeouts.toLocaleString('en')}</td>
              <td class="right">{device.bad_frames.toLocaleString('en')}</td>
              <td class="right">{device.exceptions.toLocaleString('en')}</td>
              <td>{device.last_ok_ms === null ? <span class="text-fault strong">{say('device.never')}</span> : <Time ms={device.last_ok_ms} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** States that need no attention; every other is drawn as a fault, also one that this screen does not know. */
const GOOD = ['up', 'ok', 'online', 'good'];

function State({ state }: { state: string }) {
  if (GOOD.includes(state)) return <span>{say.orCode('state', state)}</span>;
  return (
    <span class="text-fault strong row nowrap">
      <Shape kind="fault" size={14} />
      {say.orCode('state', state)}
    </span>
  );
}

function Utilisation({ percent }: { percent: number }) {
  return (
    <span class="utilisation">
      <span class="bar" data-kind={percent >= BUSY_PERCENT ? 3 : undefined} aria-hidden="true">
        <span class="fill" style={{ width: `${percent}%` }} />
      </span>
      <span class={percent >= BUSY_PERCENT ? 'number strong text-3' : 'number'}>
        {percent} %{percent >= BUSY_PERCENT && ` ${say('bus.busy')}`}
      </span>
    </span>
  );
}
