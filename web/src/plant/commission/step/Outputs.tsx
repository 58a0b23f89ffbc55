import { useState } from 'preact/hooks';
import { Button, Chip } from '../../../control/Button';
import { Field, Select } from '../../../control/Field';
import { name } from '../../../i18n/language';
import { shared } from '../../../i18n/shared';
import { Empty } from '../../../notice/Notice';
import { workbook } from '../draft';
import { commission as say } from '../messages';
import { NameFields } from '../NameFields';
import { NumberField } from '../NumberField';
import { presets, profile } from '../reference';
import type { OutputTree, SiteTree } from '../shape';
import { addOutput, causesOf, demands, list, removeOutput, setDemand } from '../tree';

const KINDS = ['horn', 'siren', 'beacon', 'fan', 'valve-request', 'power-cut-request'];

/** What is switched, by which relay, and which alarms demand it. */
export function Outputs() {
  const site = workbook.draft.value?.site;
  if (!site) return null;
  const drivable = list(site.device).filter((device) => profile(device.profile)?.signals.some((signal) => signal.writable));
  const outputs = list(site.output);
  return (
    <div class="stack">
      {drivable.length === 0 && outputs.length === 0 && <Empty why={say('outputs.none')} next={say('outputs.none-next')} />}
      {outputs.map((output) => (
        <OutputCard key={output.id} output={output} site={site} />
      ))}
      {drivable.length > 0 && <NewOutput site={site} devices={drivable} />}
    </div>
  );
}

function NewOutput({ site, devices }: { site: SiteTree; devices: SiteTree['device'] & object }) {
  const [device, setDevice] = useState(devices[0]?.id ?? '');
  const [kind, setKind] = useState('siren');
  const chosen = devices.find((one) => one.id === device) ?? devices[0];
  const free = (profile(chosen?.profile)?.signals ?? []).filter((signal) => signal.writable && !list(site.output).some((output) => output.device === chosen?.id && output.signal === signal.id));
  const [signal, setSignal] = useState('');
  const used = free.find((one) => one.id === signal) ?? free[0];
  if (!chosen) return null;
  return (
    <section class="card form" aria-label={say('outputs.new')}>
      <h3>{say('outputs.new')}</h3>
      <div class="chips" role="group" aria-label={say('outputs.kind')}>
        {KINDS.map((one) => (
          <Chip key={one} on={one === kind} onToggle={() => setKind(one)}>
            {say.orCode('output', one)}
          </Chip>
        ))}
      </div>
      <div class="pair">
        <Field label={say('outputs.device')}>
          <Select value={chosen.id} choices={devices.map((one) => ({ value: one.id, label: name(one.name) }))} onChoose={setDevice} />
        </Field>
        <Field label={say('outputs.signal')}>
          <Select value={used?.id ?? ''} choices={free.map((one) => ({ value: one.id, label: one.id }))} onChoose={setSignal} />
        </Field>
      </div>
      <div>
        <Button
          look="main"
          disabled={!used}
          onPress={() => workbook.change((tree) => void addOutput(tree, chosen, used?.id ?? '', kind, { zh: `${say.both(`output.${kind}` as 'output.fan').zh} ${used?.id}`, en: `${say.both(`output.${kind}` as 'output.fan').en} ${used?.id}` }))}
        >
          {say('outputs.add')}
        </Button>
      </div>
    </section>
  );
}

function OutputCard({ output, site }: { output: OutputTree; site: SiteTree }) {
  const edit = (change: (own: OutputTree) => void): void => workbook.change((tree) => list(tree.output).filter((one) => one.id === output.id).forEach(change));
  const causes = causesOf(site, presets());
  return (
    <section class="card form" aria-label={name(output.name)} data-output={output.id}>
      <header class="row">
        <h3 class="grow">
          {name(output.name)}
          <span class="muted small block">
            {output.id} · {say.orCode('output', output.kind)} · {output.device} {output.signal}
            {output.armed === false && <span class="tag">{say('point.unarmed')}</span>}
          </span>
        </h3>
        <Button look="plain" onPress={() => workbook.change((tree) => removeOutput(tree, output.id))}>
          {say('site.remove')}
        </Button>
      </header>
      <NameFields name={output.name} onName={(called) => edit((own) => (own.name = called))} />
      <div class="pair">
        <Field label={say('point.area')}>
          <Select value={output.area} choices={list(site.area).map((area) => ({ value: area.id, label: name(area.name) || area.id }))} onChoose={(area) => edit((own) => (own.area = area))} />
        </Field>
        <NumberField label={say('outputs.min-run')} value={output.min_run_s} placeholder="0" onNumber={(seconds) => edit((own) => (own.min_run_s = seconds))} />
      </div>
      <div class="chips">
        <Chip on={output.latching === true} onToggle={() => edit((own) => (own.latching = output.latching ? null : true))}>
          {say('outputs.latching')}
        </Chip>
      </div>
      <p class="small strong">{say(output.kind === 'horn' ? 'outputs.causes-horn' : 'outputs.causes')}</p>
      <div class="chips" role="group" aria-label={say('outputs.causes')}>
        {causes.map((cause) => (
          <Chip key={cause.alarm} on={demands(site, cause.alarm, output.id)} onToggle={() => workbook.change((tree) => setDemand(tree, cause.alarm, output.id, !demands(site, cause.alarm, output.id)))}>
            {name(cause.name)} {shared.orCode('condition', cause.level)}
          </Chip>
        ))}
        {causes.length === 0 && <span class="muted">{say('outputs.no-cause')}</span>}
      </div>
    </section>
  );
}
