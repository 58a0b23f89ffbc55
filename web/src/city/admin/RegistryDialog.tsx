import { useState } from 'preact/hooks';
import type { Failure } from '../../api/call';
import { useLoaded } from '../../api/loaded';
import { Button } from '../../control/Button';
import { Dialog } from '../../control/Dialog';
import { Field, Input } from '../../control/Field';
import { shared } from '../../i18n/shared';
import { Failed, Refusal, Skeleton } from '../../notice/Notice';
import { siteName } from '../around';
import { city } from '../city';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import { RISKS, type Contact, type Registry } from '../shape';
import { PlaceFields } from './PlaceFields';

const EMPTY: Registry = { city: '', town: '', village: '', address: '', sector: '', risk: 'blue', contacts: [] };
const CONTACTS_MAX = 50;

/** Changes what the city keeps of a site, or registers one that has not reported yet. */
export function RegistryDialog({ site, onClose }: { site: string | null; onClose: () => void }) {
  const loaded = useLoaded<Registry>(site, (abort) => city.get<Registry>(`/api/admin/sites/${encodeURIComponent(site ?? '')}`, abort));
  if (site === null) return <Form site={null} registry={EMPTY} onClose={onClose} />;
  if (loaded.value) return <Form site={site} registry={loaded.value} onClose={onClose} />;
  return (
    <Dialog title={siteName(site)} onClose={onClose}>
      {loaded.failure ? <Failed failure={loaded.failure} onRetry={loaded.again} /> : <Skeleton lines={6} />}
    </Dialog>
  );
}

function Form({ site, registry, onClose }: { site: string | null; registry: Registry; onClose: () => void }) {
  const [id, setId] = useState(site ?? '');
  const [given, setGiven] = useState(registry);
  const [failure, setFailure] = useState<Failure | null>(null);
  const change = (part: Partial<Registry>): void => setGiven({ ...given, ...part });
  const taken = site === null && city.sites.value?.has(id.trim());
  const ready = id.trim() !== '' && !/[/+#]/.test(id) && !taken && given.contacts.every((contact) => contact.name.trim() !== '' && contact.phone.trim() !== '');
  const send = async (): Promise<void> => {
    const outcome = await city.ask('PUT', `/api/admin/sites/${encodeURIComponent(id.trim())}`, given);
    if (outcome.ok) onClose();
    else setFailure(outcome.failure);
  };
  return (
    <Dialog title={site === null ? say('sites.add') : say('sites.edit-which', { name: siteName(site) })} onClose={onClose} onSend={send} send={say('admin.save')} ready={ready} wide>
      {site === null && (
        <Field label={say('registry.id')} hint={say('sites.id-hint')} wrong={taken ? shared('why.exists') : null}>
          <Input value={id} onText={setId} autocomplete="off" literal maxLength={64} />
        </Field>
      )}
      <PlaceFields place={given} onChange={change} />
      <div class="form-grid">
        <Field label={say('registry.address')}>
          <Input value={given.address} onText={(address) => change({ address })} autocomplete="off" maxLength={200} />
        </Field>
        <Field label={say('registry.sector')}>
          <Input value={given.sector} onText={(sector) => change({ sector })} autocomplete="off" maxLength={60} />
        </Field>
      </div>
      <fieldset>
        <legend>{say('registry.risk')}</legend>
        <div class="checks">
          {RISKS.map((risk) => (
            <label key={risk} class="check">
              <input type="radio" name="risk" checked={given.risk === risk} onChange={() => change({ risk })} />
              <RiskMark risk={risk} />
            </label>
          ))}
        </div>
      </fieldset>
      <ContactFields contacts={given.contacts} onChange={(contacts) => change({ contacts })} />
      {failure && <Refusal failure={failure} />}
    </Dialog>
  );
}

const COLUMNS = ['name', 'role', 'phone'] as const;

function ContactFields({ contacts, onChange }: { contacts: Contact[]; onChange: (contacts: Contact[]) => void }) {
  const put = (place: number, part: Partial<Contact>): void => onChange(contacts.map((contact, other) => (other === place ? { ...contact, ...part } : contact)));
  return (
    <fieldset>
      <legend>{say('contacts.title')}</legend>
      <div class="stack">
        {contacts.map((contact, place) => (
          <div key={place} class="contact-fields">
            {COLUMNS.map((column) => (
              <Input
                key={column}
                value={contact[column]}
                onText={(text) => put(place, { [column]: text })}
                placeholder={say(`contact.${column}`)}
                label={say('contact.of', { column: say(`contact.${column}`), place: place + 1 })}
                type={column === 'phone' ? 'tel' : 'text'}
                autocomplete="off"
                maxLength={60}
              />
            ))}
            <Button look="plain" label={say('contact.remove', { name: contact.name })} onPress={() => onChange(contacts.filter((_, other) => other !== place))}>
              {say('admin.remove')}
            </Button>
          </div>
        ))}
        {contacts.length < CONTACTS_MAX && <Button onPress={() => onChange([...contacts, { name: '', role: '', phone: '' }])}>{say('contact.add')}</Button>}
      </div>
    </fieldset>
  );
}
