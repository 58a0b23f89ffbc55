import { Select } from '../control/Field';
import { name } from '../i18n/language';
import { city } from './city';
import { city as say } from './messages';

interface SiteChoiceProps {
  value: string | null;
  /** What the empty choice says. */
  none: string;
  onChoose: (site: string | null) => void;
}

/** One of the sites that the person may see, by name. */
export function SiteChoice({ value, none, onChoose }: SiteChoiceProps) {
  const sites = [...(city.sites.value?.values() ?? [])].map((site) => ({ value: site.id, label: name(site.name) })).sort((a, b) => a.label.localeCompare(b.label, 'zh'));
  const known = value === null || sites.some((site) => site.value === value);
  const choices = [{ value: '', label: none }, ...sites, ...(known ? [] : [{ value: value ?? '', label: value ?? '' }])];
  return <Select label={say('situation.column.site')} value={value ?? ''} choices={choices} onChoose={(site) => onChoose(site === '' ? null : site)} />;
}
