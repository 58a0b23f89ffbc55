import { decimal } from './decimal';
import { Shape } from '../alarm/Symbol';
import type { Point, Value } from '../api/shape';
import { name } from '../i18n/language';
import { shared } from '../i18n/shared';
import './value.css';

type PointOf = Pick<Point, 'unit' | 'decimals' | 'states'>;

/** The figure in the precision of the instrument; the state's name for a discrete point. */
export function figure(value: number, point: PointOf): string {
  if (point.states) return name(point.states[value >= 0.5 ? 1 : 0]);
  return decimal(value, point.decimals);
}

/** A value with its unit, or the cause of its absence: never a dash, never a zero that nobody measured. */
export function Reading({ value, point, big = false }: { value: Value | null; point: PointOf; big?: boolean }) {
  if (!value || value.value === null) return <Absent cause={value?.cause ?? 'not-yet-read'} />;
  return (
    <span class={big ? 'reading live big' : 'reading live'} data-quality={value.quality}>
      <span class="figure">{figure(value.value, point)}</span>
      {!point.states && <span class="unit">{point.unit}</span>}
      {value.quality !== 'good' && <span class="tag">{shared(`quality.${value.quality}`)}</span>}
    </span>
  );
}

function Absent({ cause }: { cause: string }) {
  const unread = cause === 'not-yet-read';
  return (
    <span class="reading live">
      <span class={unread ? 'cause unread' : 'cause'}>
        {!unread && <Shape kind="fault" size={12} />}
        {shared.orCode('cause', cause)}
      </span>
    </span>
  );
}
