import { link } from '../../address/address';
import { kind, worst } from '../../alarm/state';
import { AlarmMark } from '../../alarm/Symbol';
import type { Alarm, Area } from '../../api/shape';
import { name } from '../../i18n/language';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { commission } from '../commission/messages';
import { plant as say } from '../messages';
import { plant } from '../plant';
import type { PlantSite } from '../shape';
import { Effects } from './Effects';
import { OutputLine } from './OutputLine';
import { PointLine } from './PointLine';
import './overview.css';

/** One picture of the plant, by area: is it safe now? */
export function Overview() {
  const site = plant.site.value;
  if (!site) {
    const failure = plant.siteFailure.value;
    return <div class="place">{failure ? <Failed failure={failure} stillTrue={say('site.still-true')} onRetry={() => plant.loadSite()} /> : <Skeleton lines={12} />}</div>;
  }
  const alarms = [...plant.picture.alarms.value.values()];
  return (
    <div class="place">
      <div class="title">
        <h1>{say('place.overview')}</h1>
        <Summary site={site} alarms={alarms} />
      </div>
      {site.points.length === 0 && (
        <Empty why={say(site.blank ? 'overview.blank' : 'overview.empty')} next={say(site.blank ? 'overview.blank-next' : 'overview.empty-next')}>
          {site.blank && (
            <a class="button" href={link('commissioning')}>
              {commission('place')}
            </a>
          )}
        </Empty>
      )}
      <div class="areas">
        {site.areas.map((area) => (
          <AreaCard key={area.id} site={site} area={area} alarms={alarms.filter((alarm) => alarm.area === area.id)} />
        ))}
      </div>
      <Effects site={site} alarms={plant.picture.alarms.value} />
    </div>
  );
}

/** The answer in one line. */
function Summary({ site, alarms }: { site: PlantSite; alarms: readonly Alarm[] }) {
  const active = alarms.filter((alarm) => alarm.active).length;
  const blind = site.points.filter((point) => plant.picture.value(point.id).value?.value == null).length;
  const demanded = [...plant.outputs.value.values()].filter((output) => output.demand).length;
  const calm = alarms.length === 0 && blind === 0 && demanded === 0;
  return (
    <p class="muted live">
      {calm
        ? say('overview.calm', { points: site.points.length })
        : say('overview.summary', { active, blind, demanded })}
    </p>
  );
}

function AreaCard({ site, area, alarms }: { site: PlantSite; area: Area; alarms: readonly Alarm[] }) {
  const points = site.points.filter((point) => point.area === area.id);
  const outputs = site.outputs.filter((output) => output.area === area.id);
  const leading = worst(alarms);
  return (
    <section class="card area" data-worst={leading ? kind(leading) : undefined} aria-label={name(area.name)}>
      <header>
        <h2 class="grow">{name(area.name)}</h2>
        <span class="live">{leading ? <AlarmMark alarm={leading} /> : <span class="muted small">{say('area.calm')}</span>}</span>
      </header>
      <ul>
        {points.map((point) => (
          <PointLine key={point.id} point={point} alarms={alarms.filter((alarm) => alarm.point === point.id)} />
        ))}
      </ul>
      {outputs.length > 0 && (
        <ul class="outputs">
          {outputs.map((output) => (
            <OutputLine key={output.id} output={output} now={plant.outputs.value.get(output.id) ?? null} />
          ))}
        </ul>
      )}
    </section>
  );
}
