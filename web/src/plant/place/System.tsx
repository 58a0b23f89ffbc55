import type { ComponentChildren } from 'preact';
import { Time } from '../../clock/Time';
import { dateTime } from '../../clock/format';
import { SoundTest } from '../../horn/SoundTest';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Shape } from '../../alarm/Symbol';
import { Failed, Skeleton } from '../../notice/Notice';
import { plant as say } from '../messages';
import { plant } from '../plant';
import type { SystemNow } from '../shape';
import { Buses, Devices } from './Machines';
import { Nodes } from './Nodes';
import { share, size } from './size';
import './system.css';

/** What the gateway itself is made of, and how it does. */
export function System() {
  const system = plant.system.value;
  const failure = plant.systemFailure.value;
  return (
    <div class="place">
      <h1>{say('place.system')}</h1>
      {failure && <Failed failure={failure} stillTrue={say('system.still-true')} />}
      {system ? <Parts system={system} /> : !failure && <Skeleton lines={12} />}
    </div>
  );
}

function Parts({ system }: { system: SystemNow }) {
  return (
    <div class="parts">
      <Card title={say('system.buses')}>
        <Buses buses={system.buses} />
      </Card>
      <Card title={say('system.sound')}>
        <div class="pad">
          <SoundTest />
        </div>
      </Card>
      <Card title={say('system.devices')} wide>
        <Devices devices={system.devices} called={(id) => calledDevice(id)} />
      </Card>
      {system.nodes.length > 0 && (
        <Card title={say('system.nodes')} wide>
          <Nodes nodes={system.nodes} called={(id) => calledDevice(id)} />
        </Card>
      )}
      <Card title={say('system.journal')}>
        <Journal system={system} />
      </Card>
      <Card title={say('system.machine')}>
        <Machine system={system} />
      </Card>
    </div>
  );
}

function calledDevice(id: string): string {
  const device = plant.site.value?.devices.find((one) => one.id === id);
  return device ? name(device.name) : '';
}

function Card({ title, wide, children }: { title: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <section class={wide ? 'card wide' : 'card'} aria-label={title}>
      <header>
        <h2>{title}</h2>
      </header>
      {children}
    </section>
  );
}

function Journal({ system: { journal } }: { system: SystemNow }) {
  const waiting = Math.max(0, journal.next_offset - journal.acknowledged_offset);
  return (
    <dl class="facts pad live">
      <dt>{say('journal.state')}</dt>
      <dd>{journal.failed !== null ? <Wrong>{say('journal.failed', { why: journal.failed })}</Wrong> : say(journal.synced ? 'journal.synced' : 'journal.writing')}</dd>
      <dt>{say('journal.used')}</dt>
      <dd>
        {size(journal.bytes)} / {size(journal.max_bytes)} ({share(journal.bytes, journal.max_bytes)} %)
        <div class="bar" aria-hidden="true">
          <div class="fill" style={{ width: `${share(journal.bytes, journal.max_bytes)}%` }} />
        </div>
      </dd>
      <dt>{say('journal.offsets')}</dt>
      <dd>
        {journal.first_offset} … {journal.next_offset}
      </dd>
      <dt>{say('journal.waiting')}</dt>
      <dd>{say('journal.batches', { count: waiting })}</dd>
      <dt>{say('journal.lost')}</dt>
      <dd>{journal.lost_batches > 0 ? <Wrong>{say('journal.batches', { count: journal.lost_batches })}</Wrong> : say('journal.none')}</dd>
      <dt>{say('journal.dropped')}</dt>
      <dd>{journal.dropped_readings > 0 ? <Wrong>{say('journal.readings', { count: journal.dropped_readings })}</Wrong> : say('journal.none')}</dd>
    </dl>
  );
}

function Machine({ system }: { system: SystemNow }) {
  const { clock, disk } = system;
  return (
    <dl class="facts pad live">
      <dt>{say('machine.clock')}</dt>
      <dd>
        {shared.orCode('clock', clock.quality)}
        {clock.offset_ms !== null && <span class="muted"> ({say('machine.offset', { ms: clock.offset_ms })})</span>}
      </dd>
      <dt>{say('machine.disk')}</dt>
      <dd>{disk.free_bytes === null ? say('machine.unknown') : size(disk.free_bytes)}</dd>
      <dt>{say('machine.version')}</dt>
      <dd>{system.version}</dd>
      <dt>{say('machine.started')}</dt>
      <dd>
        {dateTime(system.started_ms)} <Time ms={system.started_ms} />
      </dd>
      <dt>{say('machine.site-file')}</dt>
      <dd>{plant.site.value?.digest}</dd>
    </dl>
  );
}

function Wrong({ children }: { children: ComponentChildren }) {
  return (
    <span class="text-fault strong row">
      <Shape kind="fault" />
      {children}
    </span>
  );
}
