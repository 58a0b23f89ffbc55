import { useId } from 'preact/hooks';
import { Field, Input } from '../../control/Field';
import { city } from '../city';
import { city as say } from '../messages';
import type { Jurisdiction } from '../shape';

const PARTS = ['city', 'town', 'village'] as const;

/** City, town and village, with what the registry already knows to choose from: a misspelt town is a town of its own. */
export function PlaceFields({ place, onChange }: { place: Jurisdiction; onChange: (place: Jurisdiction) => void }) {
  const list = useId();
  const sites = [...(city.sites.value?.values() ?? [])];
  return (
    <div class="form-grid three">
      {PARTS.map((part) => (
        <Field key={part} label={say(`registry.${part}`)}>
          <Input value={place[part]} onText={(text) => onChange({ ...place, [part]: text })} list={`${list}${part}`} autocomplete="off" maxLength={60} />
          <datalist id={`${list}${part}`}>
            {[...new Set(sites.map((site) => site[part]).filter(Boolean))].map((known) => (
              <option key={known} value={known} />
            ))}
          </datalist>
        </Field>
      ))}
    </div>
  );
}
