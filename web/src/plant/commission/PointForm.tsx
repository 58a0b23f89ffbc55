import { useState } from 'preact/hooks';
import { set } from '../../address/address';
import { Button } from '../../control/Button';
import { Dialog } from '../../control/Dialog';
import { Field, Input, Select } from '../../control/Field';
import { name } from '../../i18n/language';
import { workbook } from './draft';
import { commission as say } from './messages';
import { NameFields } from './NameFields';
import { NumberField } from './NumberField';
import { preset as presetOf, presets, substances } from './reference';
import type { PointTree, SiteTree } from './shape';
import { list, removePoint, rename, usePreset } from './tree';

const KINDS = ['combustible-gas', 'toxic-gas', 'oxygen', 'level', 'pressure', 'temperature', 'flow', 'differential-pressure', 'composition', 'other'];

/** One point: its name and place, and what it measures, by a preset or by hand. */
export function PointForm({ point, site }: { point: PointTree; site: SiteTree }) {
  const [leaving, setLeaving] = useState(false);
  const edit = (change: (own: PointTree) => void): void => workbook.change((tree) => list(tree.point).filter((one) => one.id === point.id).forEach(change));
  const discrete = point.kind === 'discrete';
  const offered = presets().filter((one) => one.kinds.includes('discrete') === discrete);
  const used = presetOf(point.preset);
  const [low, high] = point.range ?? [null, null];
  return (
    <div class="form point-form">
      <NameFields name={point.name} onName={(called) => edit((own) => (own.name = called))} />
      <div class="pair">
        <IdField point={point} site={site} />
        <Field label={say('point.area')}>
          <Select value={point.area} choices={list(site.area).map((area) => ({ value: area.id, label: name(area.name) || area.id }))} onChoose={(area) => edit((own) => (own.area = area))} />
        </Field>
      </div>
      <Field label={say('point.measures')} hint={say('point.measures-hint')}>
        <Select
          value={point.preset ?? ''}
          choices={[{ value: '', label: say('preset.none') }, ...offered.map((one) => ({ value: one.id, label: say.orCode('preset', one.id) }))]}
          onChoose={(id) => edit((own) => usePreset(own, presetOf(id)))}
        />
      </Field>
      {!discrete && (
        <div class="pair">
          {!used && (
            <Field label={say('point.kind')}>
              <Select value={point.kind} choices={KINDS.map((kind) => ({ value: kind, label: say.orCode('kind', kind) }))} onChoose={(kind) => edit((own) => (own.kind = kind))} />
            </Field>
          )}
          {point.kind.endsWith('gas') && (
            <Field label={say('point.substance')}>
              <Select
                value={point.substance ?? ''}
                choices={[{ value: '', label: say('point.choose') }, ...substances().map((one) => ({ value: one.id, label: name(one.name) }))]}
                onChoose={(id) => edit((own) => (own.substance = id || null))}
              />
            </Field>
          )}
          <Field label={say('point.unit')}>
            <Input value={point.unit ?? ''} onText={(unit) => edit((own) => (own.unit = unit))} disabled={used?.unit != null} literal />
          </Field>
          <NumberField label={say('point.low')} value={low} onNumber={(number) => edit((own) => (own.range = [number, own.range?.[1] ?? null]))} />
          <NumberField label={say('point.high')} value={high} onNumber={(number) => edit((own) => (own.range = [own.range?.[0] ?? null, number]))} />
        </div>
      )}
      <div class="row">
        <Button look="danger" onPress={() => setLeaving(true)}>
          {say('point.remove')}
        </Button>
      </div>
      {leaving && (
        <Dialog title={say('point.remove')} danger send={say('point.remove')} onClose={() => setLeaving(false)} onSend={() => (setLeaving(false), workbook.change((tree) => removePoint(tree, point.id)))}>
          <p>{say('point.remove-what', { name: name(point.name), id: point.id })}</p>
        </Dialog>
      )}
    </div>
  );
}

/** An id is taken over on leaving the field: what names it moves with it, and half an id would take another's place. */
function IdField({ point, site }: { point: PointTree; site: SiteTree }) {
  const [id, setId] = useState(point.id);
  const taken = id !== point.id && [...list(site.point), ...list(site.output), ...list(site.device)].some((one) => one.id === id);
  const good = /^[A-Za-z0-9_-]+$/.test(id);
  const take = (): void => {
    if (id === point.id || taken || !good) return;
    workbook.change((tree) => rename(tree, 'point', point.id, id));
    set({ open: id });
  };
  return (
    <div onBlurCapture={take}>
      <Field label={say('point.id')} hint={say('point.id-hint')} wrong={taken ? say('point.id-taken') : good ? null : say('point.id-wrong')}>
        <Input value={id} onText={setId} literal autocomplete="off" maxLength={40} />
      </Field>
    </div>
  );
}
