import { link } from '../../address/address';
import { kind } from '../../alarm/state';
import { Shape } from '../../alarm/Symbol';
import type { Limit, Point } from '../../api/shape';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Empty } from '../../notice/Notice';
import { areaName } from '../around';
import { city as say } from '../messages';
import type { CitySite } from '../shape';

/** What is watched, where, and at which limits it alarms, with where each limit comes from. */
export function RiskPoints({ site }: { site: CitySite }) {
  if (site.points.length === 0) return <Empty why={say('live.empty')} next={say('live.empty-next')} />;
  return (
    <section class="card scroll">
      <table class="table stacks">
        <thead>
          <tr>
            {(['point', 'kind', 'area', 'range', 'limits', 'device'] as const).map((column) => (
              <th key={column} scope="col">
                {say(`points.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {site.points.map((point) => (
            <tr key={point.id}>
              <th scope="row" class="named">
                <a href={link('trend', { site: site.id, points: point.id })}>{name(point.name)}</a>
                <span class="small muted">{point.id}</span>
              </th>
              <td>{say.orCode('kind', point.kind)}</td>
              <td>{areaName(site.id, point.area)}</td>
              <td class="number nowrap">{rangeOf(point)}</td>
              <td class="whole">
                <span class="limits">
                  {point.limits.map((limit) => (
                    <LimitOf key={limit.alarm} limit={limit} point={point} />
                  ))}
                </span>
              </td>
              <td class="small muted">{point.device}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function LimitOf({ limit, point }: { limit: Limit; point: Point }) {
  const source = sourceOf(limit);
  return (
    <span class="limit" title={source || undefined}>
      <Shape kind={kind(limit)} size={13} />
      {shared.orCode('condition', limit.condition)}
      {limit.set_point !== null && !point.states && (
        <span class="number strong">
          {limit.set_point.toFixed(point.decimals)} {point.unit}
        </span>
      )}
      {source && <span class="small muted">{source}</span>}
    </span>
  );
}

function sourceOf({ source }: Limit): string {
  if (source === null) return '';
  return typeof source === 'string' ? say.orCode('source', source) : name(source);
}

function rangeOf(point: Point): string {
  if (point.states) return point.states.map(name).join(' / ');
  if (point.high <= point.low) return '';
  return `${point.low} … ${point.high} ${point.unit}`;
}
