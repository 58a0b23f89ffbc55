import { useState } from 'preact/hooks';
import type { Failure } from '../../api/call';
import { Dialog } from '../../control/Dialog';
import { Field, Input, Select } from '../../control/Field';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Refusal } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import { ROLES, type Jurisdiction, type Role, type User, type UserChange } from '../shape';
import { PlaceFields } from './PlaceFields';

const PASSWORD_LEAST = 8;

interface PersonDialogProps {
  /** Null for somebody new. */
  person: User | null;
  onDone: () => void;
  onClose: () => void;
}

/** Adds or changes somebody. What does not belong to the role is neither asked nor sent. */
export function PersonDialog({ person, onDone, onClose }: PersonDialogProps) {
  const [id, setId] = useState(person?.id ?? '');
  const [called, setCalled] = useState(person?.name ?? '');
  const [role, setRole] = useState<Role>(person?.role ?? 'operator');
  const [sites, setSites] = useState<readonly string[]>(person?.sites ?? []);
  const [place, setPlace] = useState<Jurisdiction>(person?.jurisdiction ?? { city: '', town: '', village: '' });
  const [password, setPassword] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const short = password !== '' && password.length < PASSWORD_LEAST;
  const ready = id.trim() !== '' && called.trim() !== '' && !short && (person !== null || password !== '') && (role !== 'regulator' || place.city.trim() !== '');
  const send = async (): Promise<void> => {
    const body: UserChange = {
      id: id.trim(),
      name: called.trim(),
      role,
      sites: role === 'operator' ? [...sites] : [],
      jurisdiction: role === 'regulator' ? place : null,
      ...(password ? { password } : {}),
    };
    const outcome = person ? await city.ask('PUT', `/api/admin/users/${encodeURIComponent(person.id)}`, body) : await city.ask('POST', '/api/admin/users', body);
    if (outcome.ok) onDone();
    else setFailure(outcome.failure);
  };
  const title = person ? say('people.edit-whom', { name: person.name }) : say('people.add');
  return (
    <Dialog title={title} onClose={onClose} onSend={send} send={say('admin.save')} ready={ready} wide>
      <div class="form-grid">
        <Field label={say('people.id')} hint={person ? undefined : say('people.id-hint')}>
          <Input value={id} onText={setId} disabled={person !== null} autocomplete="off" literal maxLength={64} />
        </Field>
        <Field label={say('people.name')}>
          <Input value={called} onText={setCalled} autocomplete="off" maxLength={60} />
        </Field>
        <Field label={say('people.role')} hint={say(`role.${role}.may`)}>
          <Select value={role} choices={ROLES.map((one) => ({ value: one, label: say(`role.${one}`) }))} onChoose={(next) => setRole(ROLES.find((one) => one === next) ?? role)} />
        </Field>
        <Field label={shared('person.password')} hint={say(person ? 'people.password-keep' : 'people.password-new')} wrong={short ? shared('why.password-short') : null}>
          <Input type="password" value={password} onText={setPassword} autocomplete="new-password" invalid={short} maxLength={200} />
        </Field>
      </div>
      {role === 'operator' && <SiteChoices chosen={sites} onChange={setSites} />}
      {role === 'regulator' && (
        <fieldset>
          <legend>{say('people.jurisdiction')}</legend>
          <p class="small muted">{say('people.jurisdiction-hint')}</p>
          <PlaceFields place={place} onChange={setPlace} />
        </fieldset>
      )}
      {person && <p class="small muted">{say('people.sessions-end')}</p>}
      {failure && <Refusal failure={failure} />}
    </Dialog>
  );
}

/** An operator's sites; those that the city does not know yet stay chosen. */
function SiteChoices({ chosen, onChange }: { chosen: readonly string[]; onChange: (sites: readonly string[]) => void }) {
  const known = [...(city.sites.value?.values() ?? [])].map((site) => ({ id: site.id, label: name(site.name) }));
  const strange = chosen.filter((id) => !known.some((site) => site.id === id)).map((id) => ({ id, label: id }));
  return (
    <fieldset>
      <legend>{say('people.sites', { count: chosen.length })}</legend>
      {known.length + strange.length === 0 && <p class="small muted">{say('people.no-sites')}</p>}
      <div class="checks">
        {[...known, ...strange].map(({ id, label }) => (
          <label key={id} class="check">
            <input type="checkbox" checked={chosen.includes(id)} onChange={() => onChange(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id])} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
