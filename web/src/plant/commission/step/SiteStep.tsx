import { useState } from 'preact/hooks';
import type { Failure } from '../../../api/call';
import { Button, Chip } from '../../../control/Button';
import { Field, Input } from '../../../control/Field';
import { shared } from '../../../i18n/shared';
import { Refusal } from '../../../notice/Notice';
import { plant as plantSay } from '../../messages';
import { asPerson } from '../../session';
import { addPerson } from '../calls';
import { workbook } from '../draft';
import { commission as say } from '../messages';
import { NameFields } from '../NameFields';
import { freeId, list, own } from '../tree';

/** Who the site is, its areas, and who may act there. */
export function SiteStep() {
  const site = workbook.draft.value?.site;
  if (!site) return null;
  return (
    <div class="stack">
      <section class="card form" aria-label={say('site.identity')}>
        <h3>{say('site.identity')}</h3>
        <NameFields name={site.site.name} onName={(called) => workbook.change((tree) => (tree.site.name = called))} />
        <div class="pair">
          <Field label={say('site.id')} hint={say('site.id-hint')}>
            <Input value={site.site.id} onText={(id) => workbook.change((tree) => (tree.site.id = id.trim()))} literal autocomplete="off" maxLength={40} />
          </Field>
          <Field label={say('site.listen')} hint={say('site.listen-hint')}>
            <Input value={site.screen?.listen ?? ''} onText={(listen) => workbook.change((tree) => (tree.screen = { ...tree.screen, listen: listen.trim() }))} literal autocomplete="off" />
          </Field>
        </div>
      </section>
      <Areas />
      <People />
    </div>
  );
}

function Areas() {
  const areas = list(workbook.draft.value?.site.area);
  return (
    <section class="card form" aria-label={say('site.areas')}>
      <h3>{say('site.areas')}</h3>
      {areas.map((area, at) => (
        <div key={area.id} class="row area-row">
          <div class="grow">
            <NameFields name={area.name} onName={(called) => workbook.change((tree) => list(tree.area).slice(at, at + 1).forEach((one) => (one.name = called)))} />
          </div>
          <Button look="plain" onPress={() => workbook.change((tree) => void list(tree.area).splice(at, 1))}>
            {say('site.remove')}
          </Button>
        </div>
      ))}
      {areas.length === 0 && <p class="muted">{say('site.no-area')}</p>}
      <div>
        <Button onPress={() => workbook.change((tree) => void own(tree, 'area').push({ id: freeId(list(tree.area), 'area'), name: { zh: '', en: '' } }))}>{say('site.add-area')}</Button>
      </div>
    </section>
  );
}

function People() {
  const people = list(workbook.draft.value?.site.person);
  return (
    <section class="card form" aria-label={say('site.people')}>
      <h3>{say('site.people')}</h3>
      <ul class="stack">
        {people.map((person, at) => (
          <li key={person.id} class="row">
            <span class="grow">
              <span class="strong">{person.name}</span> <span class="muted small">{person.id}</span>
            </span>
            <span>{plantSay.orCode('role', person.role)}</span>
            {people.length > 1 && (
              <Button look="plain" onPress={() => workbook.change((tree) => void list(tree.person).splice(at, 1))}>
                {say('site.remove')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <NewPerson />
    </section>
  );
}

const ROLES = ['operator', 'maintenance'] as const;

function NewPerson() {
  const [open, setOpen] = useState(false);
  const [id, setId] = useState('');
  const [called, setCalled] = useState('');
  const [role, setRole] = useState<(typeof ROLES)[number]>('operator');
  const [pin, setPin] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const send = async (): Promise<void> => {
    if (!(await workbook.flush())) return;
    const outcome = await asPerson(() => addPerson({ id, name: called, role, pin }));
    setFailure(outcome.ok ? null : outcome.failure);
    if (!outcome.ok) return;
    setOpen(false);
    for (const clear of [setId, setCalled, setPin]) clear('');
    await workbook.load();
  };
  if (!open) {
    return (
      <div>
        <Button onPress={() => setOpen(true)}>{say('site.add-person')}</Button>
      </div>
    );
  }
  return (
    <div class="stack new-person">
      <div class="pair">
        <Field label={say('person.name')}>
          <Input value={called} onText={setCalled} autocomplete="off" maxLength={40} />
        </Field>
        <Field label={say('person.id')} hint={say('person.id-hint')}>
          <Input value={id} onText={setId} literal autocomplete="off" maxLength={40} />
        </Field>
        <Field label={shared('person.pin')} hint={say('person.pin-hint')}>
          <Input type="password" inputMode="numeric" value={pin} onText={setPin} autocomplete="new-password" />
        </Field>
      </div>
      <div class="chips" role="group" aria-label={say('person.role')}>
        {ROLES.map((one) => (
          <Chip key={one} on={one === role} onToggle={() => setRole(one)}>
            {plantSay(`role.${one}`)}
          </Chip>
        ))}
      </div>
      {failure && <Refusal failure={failure} />}
      <div class="row">
        <Button look="main" disabled={id === '' || called === '' || pin.length < 4} onPress={send}>
          {say('person.keep')}
        </Button>
        <Button onPress={() => setOpen(false)}>{shared('act.cancel')}</Button>
      </div>
    </div>
  );
}
