import { link } from '../../address/address';
import { kind as kindOf, KINDS, unacknowledged } from '../../alarm/state';
import { Mark, Shape } from '../../alarm/Symbol';
import { Lasting } from '../../clock/Time';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { city } from '../city';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import { SiteFlood } from '../SiteFlood';
import { SiteLink } from '../SiteLink';
import { sectorOf } from '../around';
import { wrong, type SiteNow } from '../situation';

/** Sites as rows, whatever asks for somebody on top. */
export function SiteList({ sites, cursor }: { sites: readonly SiteNow[]; cursor: string | null }) {
  return (
    <div class="card site-list" role="table" aria-label={say('situation.title')}>
      <div class="site-row head" role="row">
        {(['site', 'risk', 'now', 'counts', 'link'] as const).map((column) => (
          <span key={column} role="columnheader">
            {say(`situation.column.${column}`)}
          </span>
        ))}
      </div>
      {sites.map((site) => (
        <Row key={site.id} site={site} chosen={site.id === cursor} />
      ))}
    </div>
  );
}

function Row({ site, chosen }: { site: SiteNow; chosen: boolean }) {
  return (
    <div class="site-row" role="row" data-site={site.id} data-wrong={wrong(site)} aria-current={chosen ? 'true' : undefined}>
      <div role="cell" class="two c-site">
        <a class="over" href={link(['site', site.id])}>
          {name(site.name)}
        </a>
        <span class="small muted">{[site.town, site.village, sectorOf(site)].filter(Boolean).join(' · ') || site.id}</span>
      </div>
      <div role="cell" class="c-risk">
        <RiskMark risk={site.risk} />
      </div>
      <div role="cell" class="c-now live">
        <Now site={site} />
      </div>
      <div role="cell" class="c-counts live">
        <CountsOf site={site} />
      </div>
      <div role="cell" class="c-link">
        <SiteLink link={site.link} last_seen_ms={site.last_seen_ms} />
      </div>
    </div>
  );
}

/** What is wrong there, in one line. A site that is not heard is never called normal. */
export function Now({ site }: { site: SiteNow }) {
  const { worst } = site;
  return (
    <>
      <SiteFlood site={site} />
      {site.link !== 'up' && (
        <span class="text-fault strong unheard">
          <Shape kind="fault" /> {say(`unheard.${site.link}`)}
        </span>
      )}
      {worst ? (
        <span class="news">
          <Mark kind={kindOf(worst)} flashing={unacknowledged(worst)} />
          <span class="two">
            <span class="what">
              {name(worst.name)} {shared(`condition.${worst.condition}`)}
            </span>
            <span class="small muted">
              {shared(`state.${worst.state}`)} {worst.raised_ms !== null && <Lasting from_ms={worst.raised_ms} />}
            </span>
          </span>
        </span>
      ) : (
        site.link === 'up' && <Calm />
      )}
    </>
  );
}

/** Nothing is wrong, as far as a living stream can say it; a silent one says nothing. */
export function Calm() {
  return <span class="muted">{say(city.feedState.value === 'stale' ? 'site.not-known' : 'site.normal')}</span>;
}

/** Per priority that has any: unacknowledged, and active besides. */
export function CountsOf({ site }: { site: SiteNow }) {
  const some = KINDS.filter((one) => site.tally[one].unacknowledged + site.tally[one].active > 0);
  return (
    <span class="tally">
      {some.map((one) => {
        const { unacknowledged: waiting, active } = site.tally[one];
        const words = say('count.words', { word: shared(`priority.${one}`), waiting, active });
        return (
          <span key={one} title={words}>
            <Shape kind={one} />
            <span class={waiting > 0 ? 'strong number' : 'number muted'} aria-hidden="true">
              {waiting}/{active}
            </span>
            <span class="hidden">{words}</span>
          </span>
        );
      })}
    </span>
  );
}
