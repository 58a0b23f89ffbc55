import { useEffect, useMemo } from 'preact/hooks';
import { address, go, link, parameter, set } from '../../address/address';
import { AlarmList } from '../../alarm/AlarmList';
import { byUrgency } from '../../alarm/state';
import { useLoaded } from '../../api/loaded';
import type { Alarm } from '../../api/shape';
import { Chip } from '../../control/Button';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { useKeys } from '../../keys/keys';
import { alarmKey } from '../../live/picture';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { trendAround } from '../AlarmSide';
import { sectorOf, surroundings } from '../around';
import { city } from '../city';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import type { CitySite } from '../shape';
import { SiteFlood } from '../SiteFlood';
import { SiteLink } from '../SiteLink';
import { Contacts, Registry } from '../site/Registry';
import { Coverage } from '../site/Coverage';
import { Effects } from '../site/Effects';
import { Live } from '../site/Live';
import { RiskPoints } from '../site/RiskPoints';
import { Forbidden } from './Elsewhere';
import { Situation } from './Situation';
import { only } from './Trend';
import { useWatch } from './Alarms';
import '../site/site.css';

const PARTS = ['live', 'points', 'effects', 'coverage', 'registry'] as const;
type Part = (typeof PARTS)[number];

/** A site's description changes seldom: its devices' links and the registry are what is renewed. */
const RENEW_MS = 30_000;

/** One site; without one in the address, the choice of it. */
export function SitePlace() {
  const id = address.value.rest[0] ?? only();
  return id === null ? <Situation /> : <Known key={id} id={id} />;
}

function Known({ id }: { id: string }) {
  useWatch(id);
  const loaded = useLoaded<CitySite>(id, (abort) => city.site(id, abort), RENEW_MS);
  const site = loaded.value;
  useEffect(() => {
    if (!site) return;
    city.keepModel(site);
  }, [site]);
  useKeys({ Escape: () => go('') });
  if (site) return <Body site={site} />;
  if (!loaded.failure) return <Skeleton lines={14} />;
  if (loaded.failure.status === 403) return <Forbidden />;
  return (
    <div class="place">
      {loaded.failure.status === 404 ? <Empty why={say('site.unknown', { id })} next={say('site.unknown-next')} /> : <Failed failure={loaded.failure} stillTrue={say('site.still-true')} onRetry={loaded.again} />}
    </div>
  );
}

function Body({ site }: { site: CitySite }) {
  const asked = parameter('part');
  const part: Part = PARTS.find((one) => one === asked) ?? 'live';
  // What the stream says of the link is newer than the description.
  const now = city.sites.value?.get(site.id);
  const seen = now ?? site;
  return (
    <div class="place site-place">
      <div class="title">
        <h1>{name(site.name)}</h1>
        <RiskMark risk={seen.risk} />
        {now && <SiteFlood site={now} />}
        <SiteLink link={seen.link} last_seen_ms={seen.last_seen_ms} />
        <span class="grow muted small">{[site.city, site.town, site.village, sectorOf(site)].filter(Boolean).join(' · ')}</span>
        <a class="button plain" href={link('trend', { site: site.id })}>
          {say('place.trend')}
        </a>
        <a class="button plain" href={link('record', { site: site.id })}>
          {say('place.record')}
        </a>
      </div>
      {seen.link !== 'up' && (
        <p class="refusal" role="status">
          {say(`site.unheard.${seen.link}`)}
        </p>
      )}
      <Contacts contacts={site.contacts} />
      <nav class="chips no-print" aria-label={say('site.parts')}>
        {PARTS.map((one) => (
          <Chip key={one} on={part === one} onToggle={() => set({ part: one === 'live' ? null : one })}>
            {say(`site.part.${one}`)}
          </Chip>
        ))}
      </nav>
      {part === 'live' && <Standing site={site.id} heard={seen.link === 'up'} />}
      <PartOf part={part} site={site} />
    </div>
  );
}

function PartOf({ part, site }: { part: Part; site: CitySite }) {
  switch (part) {
    case 'live':
      return <Live site={site} />;
    case 'points':
      return <RiskPoints site={site} />;
    case 'effects':
      return <Effects site={site} />;
    case 'coverage':
      return <Coverage site={site} />;
    case 'registry':
      return <Registry site={site} />;
  }
}

/** The alarms of this site, in the same list as everywhere; at most eight rows before it scrolls. */
function Standing({ site, heard }: { site: string; heard: boolean }) {
  const all = city.picture.alarms.value;
  const alarms = useMemo(() => [...all.values()].filter((alarm) => alarm.site === site).sort(byUrgency), [all, site]);
  const around = useMemo(() => surroundings(site, true), [site]);
  if (alarms.length === 0) return <p class="muted card calm">{heard ? shared('alarms.calm') : say('site.no-alarm-then')}</p>;
  const open = (alarm: Alarm): void => go('alarms', { site, open: alarmKey(alarm) });
  return (
    <div class="alarm-split standing" data-rows={Math.min(8, alarms.length)}>
      <AlarmList alarms={alarms} around={around} acts={city.acts()} open={null} onOpen={open} onTrend={(alarm) => alarm.point !== null && go('trend', trendAround(alarm))} />
    </div>
  );
}
