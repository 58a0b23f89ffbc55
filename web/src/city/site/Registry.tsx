import { link } from '../../address/address';
import { dateTime } from '../../clock/format';
import { name } from '../../i18n/language';
import { city } from '../city';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import type { CitySite, Contact } from '../shape';

/** People to call; in an alarm this is what one looks for. */
export function Contacts({ contacts }: { contacts: readonly Contact[] }) {
  if (contacts.length === 0) return <p class="small muted">{say('contacts.none')}</p>;
  return (
    <ul class="contacts" aria-label={say('contacts.title')}>
      {contacts.map((contact) => (
        <li key={`${contact.name}${contact.phone}`}>
          <span class="strong">{contact.name}</span> <span class="small muted">{contact.role}</span>
          <a class="number" href={`tel:${contact.phone.replace(/[^\d+]/g, '')}`}>
            {contact.phone}
          </a>
        </li>
      ))}
    </ul>
  );
}

/** What the city keeps of the site, and what the gateway says of itself. */
export function Registry({ site }: { site: CitySite }) {
  const facts: [string, string][] = [
    [say('registry.id'), site.id],
    [say('registry.place'), [site.city, site.town, site.village].filter(Boolean).join(' · ')],
    [say('registry.address'), site.address],
    [say('registry.sector'), site.sector],
    [say('registry.last-seen'), site.last_seen_ms === null ? say('site.never-seen') : dateTime(site.last_seen_ms)],
    [say('registry.made-of'), say('registry.counts', { areas: site.areas.length, devices: site.devices.length, points: site.points.length, outputs: site.outputs.length })],
    [say('registry.digest'), site.digest],
  ];
  return (
    <div class="two-columns">
      <section class="card">
        <header>
          <h2 class="grow">{name(site.name)}</h2>
          {city.user?.role === 'administrator' && (
            <a class="button plain" href={link('administration', { part: 'sites', edit: site.id })}>
              {say('registry.edit')}
            </a>
          )}
        </header>
        <dl class="facts pad">
          <dt>{say('registry.risk')}</dt>
          <dd>
            <RiskMark risk={site.risk} />
          </dd>
          {facts.map(([term, text]) => (
            <>
              <dt key={term}>{term}</dt>
              <dd>{text || say('registry.missing')}</dd>
            </>
          ))}
        </dl>
      </section>
      <section class="card">
        <header>
          <h2>{say('contacts.title')}</h2>
        </header>
        <div class="pad">
          <Contacts contacts={site.contacts} />
        </div>
      </section>
    </div>
  );
}
