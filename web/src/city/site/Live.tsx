import { link } from '../../address/address';
import { kind, unacknowledged, worst } from '../../alarm/state';
import { AlarmMark, Shape } from '../../alarm/Symbol';
import type { Alarm, Area, OutputOfSite, Point } from '../../api/shape';
import { Time } from '../../clock/Time';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { alarmKey, pointKey } from '../../live/picture';
import { Empty } from '../../notice/Notice';
import { Bar } from '../../value/Bar';
import { Reading } from '../../value/Reading';
import { city } from '../city';
import { city as say } from '../messages';
import type { CitySite } from '../shape';

/** Values by area and what is demanded of its outputs, as the gateway reports them. */
export function Live({ site }: { site: CitySite }) {
  const alarms = [...city.picture.alarms.value.values()].filter((alarm) => alarm.site === site.id);
  if (site.points.length === 0) return <Empty why={say('live.empty')} next={say('live.empty-next')} />;
  const outputsOf = (area: string): OutputOfSite[] => site.outputs.filter((output) => output.area === area);
  const rest = site.points.filter((point) => !site.areas.some((area) => area.id === point.area));
  return (
    <>
      {site.values_away && <Empty why={say('live.values-away')} next={say('live.values-away-next')} />}
      <div class="site-areas">
        {site.areas.map((area) => (
          <AreaCard key={area.id} site={site} area={area} points={site.points.filter((point) => point.area === area.id)} outputs={outputsOf(area.id)} alarms={alarms.filter((alarm) => alarm.area === area.id)} />
        ))}
        {rest.length > 0 && <AreaCard site={site} area={null} points={rest} outputs={[]} alarms={[]} />}
      </div>
    </>
  );
}

interface CardOf {
  site: CitySite;
  area: Area | null;
  points: readonly Point[];
  outputs: readonly OutputOfSite[];
  alarms: readonly Alarm[];
}

function AreaCard({ site, area, points, outputs, alarms }: CardOf) {
  const leading = worst(alarms);
  if (points.length + outputs.length === 0) return null;
  return (
    <section class="card" aria-label={area ? name(area.name) : say('live.elsewhere')}>
      <header>
        <h2 class="grow">{area ? name(area.name) : say('live.elsewhere')}</h2>
        <span class="live">{leading && <AlarmMark alarm={leading} />}</span>
      </header>
      <ul>
        {points.map((point) => (
          <Line key={point.id} site={site} point={point} alarm={worst(alarms.filter((alarm) => alarm.point === point.id))} />
        ))}
        {outputs.map((output) => (
          <OutputLine key={output.id} site={site} output={output} alarm={worst(alarms.filter((alarm) => alarm.id === `${output.id}.FAILED`))} />
        ))}
      </ul>
    </section>
  );
}

function Line({ site, point, alarm }: { site: CitySite; point: Point; alarm: Alarm | null }) {
  // The description brought the values of its moment; the stream has newer ones.
  const value = city.picture.value(point.id, site.id).value ?? site.values.find((one) => one.point === point.id) ?? null;
  const href = alarm ? link('alarms', { site: site.id, open: alarmKey(alarm) }) : link('trend', { site: site.id, points: point.id });
  return (
    <li>
      <a class="value-line" href={href} data-point={point.id}>
        <span class="sign live">
          {alarm && (
            <>
              <Shape kind={kind(alarm)} flashing={unacknowledged(alarm)} />
              <span class="hidden">{shared(`priority.${kind(alarm)}`)}</span>
            </>
          )}
        </span>
        <span class="who">
          <span>{name(point.name)}</span>
          <span class="small muted">
            {point.id}
            {alarm && (
              <span class={`live strong text-${kind(alarm)}`}>
                {' '}
                {shared(`condition.${alarm.condition}`)} · {shared(`state.${alarm.state}`)}
              </span>
            )}
          </span>
        </span>
        <Bar value={value} point={point} kind={alarm?.active ? kind(alarm) : null} />
        <Reading value={value} point={point} />
      </a>
    </li>
  );
}

/** What is demanded of an output, to look at: nothing is switched from here. */
function OutputLine({ site, output, alarm }: { site: CitySite; output: OutputOfSite; alarm: Alarm | null }) {
  const now = city.demands.value.get(pointKey(site.id, output.id)) ?? site.demands.find((one) => one.output === output.id) ?? null;
  const heard = (city.sites.value?.get(site.id) ?? site).link === 'up';
  return (
    <li class="output-line" data-output={output.id} data-demand={now?.demand || undefined}>
      <span class="sign live">{alarm && <Shape kind={kind(alarm)} flashing={unacknowledged(alarm)} />}</span>
      <span class="who">
        <span>{name(output.name)}</span>
        <span class="small muted">
          {output.id}
          {alarm && (
            <span class={`live strong text-${kind(alarm)}`}>
              {' '}
              {shared(`condition.${alarm.condition}`)} · {shared(`state.${alarm.state}`)}
            </span>
          )}
        </span>
      </span>
      <span class="ask">
        {now === null ? (
          <span class="small muted">{say('output.never-said')}</span>
        ) : (
          <>
            <span class={now.demand ? 'live flag on' : 'live flag'}>{say(now.demand ? 'output.demanded' : 'output.idle')}</span>
            <span class="small muted">{now.stale || !heard ? say('output.stale') : <Time ms={now.since_ms} />}</span>
          </>
        )}
      </span>
    </li>
  );
}
