import { link } from '../../address/address';
import { kind, unacknowledged, worst } from '../../alarm/state';
import { Shape } from '../../alarm/Symbol';
import type { Alarm, Point } from '../../api/shape';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { alarmKey } from '../../live/picture';
import { Bar } from '../../value/Bar';
import { Reading } from '../../value/Reading';
import { plant } from '../plant';

/** One point: its name, where it stands against its limits, its value. Leads to its alarm, or else to its trend. */
export function PointLine({ point, alarms }: { point: Point; alarms: readonly Alarm[] }) {
  const alarm = worst(alarms);
  const active = worst(alarms.filter((one) => one.active));
  const value = plant.picture.value(point.id).value;
  const href = alarm ? link('alarms', { open: alarmKey(alarm) }) : link('trend', { points: point.id });
  return (
    <li>
      <a class="point" href={href} data-point={point.id}>
        <span class="sign live">
          {alarm && (
            <>
              <Shape kind={kind(alarm)} flashing={unacknowledged(alarm)} />
              <span class="hidden">
                {shared(`priority.${kind(alarm)}`)} {shared(`condition.${alarm.condition}`)}
              </span>
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
        <Bar value={value} point={point} kind={active && kind(active)} />
        <Reading value={value} point={point} />
      </a>
    </li>
  );
}
