import { link } from '../../address/address';
import { kind as kindOf, unacknowledged } from '../../alarm/state';
import { Mark, Shape } from '../../alarm/Symbol';
import { PRIORITIES } from '../../api/shape';
import { Lasting } from '../../clock/Time';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import type { SiteOverview } from '../shape';
import { SiteLink } from '../SiteLink';
import { countOf, spokenOf, wrong } from '../situation';

/** Sites as rows, whatever asks for somebody on top. */
export function SiteList({ sites, cursor }: { sites: readonly SiteOverview[]; cursor: string | null }) {
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

function Row({ site, chosen }: { site: SiteOverview; chosen: boolean }) {
  return (
    <div class="site-row" role="row" data-site={site.id} data-wrong={wrong(site)} aria-current={chosen ? 'true' : undefined}>
      <div role="cell" class="two c-site">
        <a class="over" href={link(['site', site.id])}>
          {name(site.name)}
        </a>
        <span class="small muted">{[site.town, site.village, site.sector].filter(Boolean).join(' · ') || site.id}</span>
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
export function Now({ site }: { site: SiteOverview }) {
  const worst = spokenOf(site);
  return (
    <>
      {site.link !== 'up' && (
        <span class="text-fault strong unheard">
          <Shape kind="fault" /> {say(`unheard.${site.link}`)}
        </span>
      )}
      {worst ? (
        <span class="news">
          <Mark kind={kindOf(worst)} flashing={unacknowledged(worst)} />
          <span class="what">
            {name(worst.name)} {shared(`condition.${worst.condition}`)}
          </span>
          <span class="small muted">
            {shared(`state.${worst.state}`)} {worst.raised_ms !== null && <Lasting from_ms={worst.raised_ms} />}
          </span>
        </span>
      ) : (
        site.link === 'up' && <span class="muted">{say('site.normal')}</span>
      )}
    </>
  );
}

/** Per priority that has any: unacknowledged, and active besides. */
export function CountsOf({ site }: { site: SiteOverview }) {
  const some = PRIORITIES.filter((priority) => countOf(site, priority).unacknowledged + countOf(site, priority).active > 0);
  return (
    <span class="tally">
      {some.map((priority) => {
        const { unacknowledged: waiting, active } = countOf(site, priority);
        const words = say('count.words', { word: shared(`priority.${priority}`), waiting, active });
        return (
          <span key={priority} title={words}>
            <Shape kind={priority} />
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
