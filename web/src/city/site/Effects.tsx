import { firstOut, kind } from '../../alarm/state';
import { Shape } from '../../alarm/Symbol';
import type { Alarm, Effect } from '../../api/shape';
import { timeOfDay } from '../../clock/format';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { pointKey } from '../../live/picture';
import { Empty } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import type { CitySite } from '../shape';

/** Cause and effect as the site file has it, causes lit where they stand now. What is demanded of the outputs stands beside the values. */
export function Effects({ site }: { site: CitySite }) {
  if (site.effects.length === 0) return <Empty why={say('effects.none')} next={say('effects.none-next')} />;
  return (
    <section class="card scroll" tabIndex={0} aria-label={say('site.part.effects')}>
      <table class="table effects stacks">
        <thead>
          <tr>
            <th scope="col">{say('effects.causes')}</th>
            <th scope="col">{say('effects.outputs')}</th>
          </tr>
        </thead>
        <tbody>
          {site.effects.map((effect, place) => (
            <Row key={place} site={site} effect={effect} />
          ))}
        </tbody>
      </table>
      <p class="small muted note">{say('effects.note')}</p>
    </section>
  );
}

function Row({ site, effect }: { site: CitySite; effect: Effect }) {
  const alarms = city.picture.alarms.value;
  const lit = effect.causes.flatMap((id) => {
    const alarm = alarms.get(pointKey(site.id, id));
    return alarm && (alarm.active || alarm.latched) ? [alarm] : [];
  });
  const first = lit.length > 1 ? firstOut(lit) : null;
  return (
    <tr data-lit={lit.length > 0 || undefined}>
      <td class="whole">
        <span class="nodes">
          {effect.causes.map((id) => (
            <Cause key={id} site={site} id={id} alarm={lit.find((alarm) => alarm.id === id) ?? null} first={first?.id === id} />
          ))}
        </span>
      </td>
      <td class="whole outputs">
        <span class="nodes">
          {effect.outputs.map((id) => {
            const output = site.outputs.find((one) => one.id === id);
            return (
              <span key={id} class="node live" data-on={lit.length > 0 || undefined}>
                <span class="strong">{id}</span> <span class="small muted">{output && name(output.name)}</span>
                {output?.latching && <span class="tag">{say('effects.latching')}</span>}
              </span>
            );
          })}
        </span>
      </td>
    </tr>
  );
}

function Cause({ site, id, alarm, first }: { site: CitySite; id: string; alarm: Alarm | null; first: boolean }) {
  const cut = id.lastIndexOf('.');
  const point = site.points.find((one) => one.id === id.slice(0, cut));
  return (
    <span class="node live" data-on={alarm !== null || undefined}>
      {alarm && <Shape kind={kind(alarm)} />}
      <span class="strong">{id.slice(0, cut)}</span> {shared.orCode('condition', id.slice(cut + 1))} <span class="small muted">{point && name(point.name)}</span>
      {first && alarm && alarm.raised_ms !== null && (
        <span class="tag">
          {say('effects.first-out')} {timeOfDay(alarm.raised_ms)}
        </span>
      )}
    </span>
  );
}
