import { Shape } from '../../alarm/Symbol';
import { Time } from '../../clock/Time';
import { dateTime } from '../../clock/format';
import { shared } from '../../i18n/shared';
import { plant as say } from '../messages';
import type { NodeNow, ToldNow } from '../shape';

/** Self-tests that a node knows, by bit. */
const SELF_TESTS = 7;

/** Davy's own nodes: how each does, and what it told of the time when nobody asked. */
export function Nodes({ nodes, called }: { nodes: readonly NodeNow[]; called: (id: string) => string }) {
  return (
    <div class="nodes pad">
      {nodes.map((node) => (
        <section key={node.id} aria-label={node.id}>
          <h3>
            {node.id} <span class="muted">{called(node.id)}</span>
          </h3>
          {node.strange && <Wrong>{say('node.strange')}</Wrong>}
          {node.status === null ? !node.strange && <p class="muted">{say('node.unasked')}</p> : <Facts node={node} status={node.status} />}
          {node.recent.length > 0 && <Recent told={node.recent} />}
        </section>
      ))}
    </div>
  );
}

function Facts({ node, status }: { node: NodeNow; status: NonNullable<NodeNow['status']> }) {
  const failed = Array.from({ length: SELF_TESTS }, (_, bit) => bit).filter((bit) => (status.self_test >> bit) & 1);
  return (
    <dl class="facts live">
      <dt>{say('node.firmware')}</dt>
      <dd>{status.firmware.join('.')}</dd>
      <dt>{say('node.config')}</dt>
      <dd>
        {status.config_version === 0 ? (
          <Wrong>{say('node.no-config')}</Wrong>
        ) : (
          <>
            {status.config_version} <span class="muted">CRC {status.config_crc.toString(16).padStart(8, '0')}</span>
          </>
        )}
      </dd>
      <dt>{say('node.start')}</dt>
      <dd>
        {status.reset_cause === 1 || status.reset_cause === 5 ? say.orCode('node.reset', `${status.reset_cause}`) : <Wrong>{say.orCode('node.reset', `${status.reset_cause}`)}</Wrong>}{' '}
        <span class="muted">{say('node.boots', { count: status.boot_count })}</span>
      </dd>
      <dt>{say('node.self-test')}</dt>
      <dd>{status.self_test === 0 ? say('node.self-test-well') : <Wrong>{failed.map((bit) => say.orCode('node.test', `${bit}`)).join(', ')}</Wrong>}</dd>
      <dt>{say('node.lock')}</dt>
      <dd>{status.unlocked_s === 0 ? say('node.locked') : <Wrong>{say('node.unlocked', { s: status.unlocked_s })}</Wrong>}</dd>
      <dt>{say('node.gateway')}</dt>
      <dd>{status.gateway_silent === 0 ? say('node.hears') : <Wrong>{say('node.alone')}</Wrong>}</dd>
      <dt>{say('node.clock')}</dt>
      <dd>{say(status.time_quality === 0 ? 'node.clock-none' : 'node.clock-set')}</dd>
      <dt>{say('node.events')}</dt>
      <dd>
        {node.collected.toLocaleString('en')} {node.missed > 0 && <Wrong>{say('node.missed', { count: node.missed })}</Wrong>}
      </dd>
      {node.asked_ms !== null && (
        <>
          <dt>{say('node.asked')}</dt>
          <dd>
            <Time ms={node.asked_ms} />
          </dd>
        </>
      )}
    </dl>
  );
}

function Recent({ told }: { told: readonly ToldNow[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={say('node.recent')}>
      <table class="table">
        <thead>
          <tr>
            <th>{say('node.when')}</th>
            <th>{say('node.what')}</th>
            <th>{say('node.learnt')}</th>
          </tr>
        </thead>
        <tbody>
          {told.map((one, at) => (
            <tr key={`${one.number ?? 'gap'}-${one.collected_ms}-${at}`}>
              <td class="nowrap">
                {dateTime(one.time_ms)} {one.clock !== null && one.clock !== 'node' && <span class="muted">{say.orCode('node', `by-${one.clock}`)}</span>}
              </td>
              <td>
                {say.orCode('node.kind', one.kind)} <span class="muted">{detail(one)}</span>
              </td>
              <td class="nowrap">{dateTime(one.collected_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function detail(one: ToldNow): string {
  if (one.alarm !== null) return `${one.alarm}: ${say.orCode('node.state', `${one.state}`)}`;
  if (one.slot !== null) return firmware(one.slot, one.slot_state ?? '', one.slot_why);
  if (one.on === null) return '';
  const on = say(one.on ? 'node.on' : 'node.off');
  return one.relay === null ? on : `${one.relay}: ${on}`;
}

/** What became of a slot's firmware, and why where something went wrong. */
function firmware(slot: string, code: string, cause: string | null): string {
  const state = shared.orCode('slot-state', code);
  return cause === null ? say('node.slot', { slot, state }) : say('node.slot-why', { slot, state, why: shared.orCode('slot-why', cause) });
}

function Wrong({ children }: { children: string }) {
  return (
    <span class="text-fault strong row">
      <Shape kind="fault" />
      {children}
    </span>
  );
}
