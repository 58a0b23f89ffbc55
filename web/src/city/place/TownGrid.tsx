import { link } from '../../address/address';
import { kind as kindOf, unacknowledged } from '../../alarm/state';
import { Shape } from '../../alarm/Symbol';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import { SiteFlood } from '../SiteFlood';
import { byTown, wrong, type SiteNow } from '../situation';
import { Calm, CountsOf } from './SiteList';

/** Sites as tiles by town: where things are, without a map from elsewhere. */
export function TownGrid({ sites, cursor }: { sites: readonly SiteNow[]; cursor: string | null }) {
  return (
    <div class="towns">
      {byTown(sites).map((town) => (
        <section key={`${town.city}/${town.town}`} class="card town">
          <header>
            <h2 class="grow">
              {town.town || say('town.none')} {town.city && <span class="small muted">{town.city}</span>}
            </h2>
            <span class="small muted number">{say('town.sites', { count: town.sites.length })}</span>
          </header>
          <div class="tiles">
            {town.sites.map((site) => (
              <Tile key={site.id} site={site} chosen={site.id === cursor} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

function Tile({ site, chosen }: { site: SiteNow; chosen: boolean }) {
  const { worst } = site;
  return (
    <a class="tile" href={link(['site', site.id])} data-site={site.id} data-wrong={wrong(site)} data-link={site.link} aria-current={chosen ? 'true' : undefined}>
      <span class="strong name">{name(site.name)}</span>
      <RiskMark risk={site.risk} />
      <span class="live tile-now">
        <SiteFlood site={site} plain />
        {site.link !== 'up' && (
          <span class="text-fault strong">
            <Shape kind="fault" size={14} /> {say(`unheard.${site.link}`)}
          </span>
        )}
        {worst ? (
          <span class="tile-news">
            <Shape kind={kindOf(worst)} flashing={unacknowledged(worst)} size={20} />
            <span>
              {shared(`priority.${kindOf(worst)}`)} · {name(worst.name)}
            </span>
          </span>
        ) : (
          site.link === 'up' && <Calm />
        )}
      </span>
      <CountsOf site={site} />
    </a>
  );
}
