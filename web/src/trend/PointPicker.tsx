import type { Area, Point } from '../api/shape';
import { Button } from '../control/Button';
import { Icon } from '../frame/Icon';
import { name } from '../i18n/language';
import { shared } from '../i18n/shared';
import { LINES_MAX } from './columns';

interface PointPickerProps {
  chosen: readonly string[];
  points: readonly Point[];
  areas: readonly Area[];
  onChange: (chosen: string[]) => void;
}

/** The points of a trend, each with its way out, and one list to add from, by area. */
export function PointPicker({ chosen, points, areas, onChange }: PointPickerProps) {
  const full = chosen.length >= LINES_MAX;
  return (
    <div class="chips no-print">
      {chosen.map((id) => {
        const point = points.find((one) => one.id === id);
        const called = point ? name(point.name) : id;
        return (
          <span key={id} class="picked">
            {called} <span class="muted small">{id}</span>
            <Button look="plain" icon label={shared('trend.remove', { point: called })} onPress={() => onChange(chosen.filter((other) => other !== id))}>
              <Icon name="close" size={14} />
            </Button>
          </span>
        );
      })}
      <select class="input pick" aria-label={shared('trend.add')} disabled={full} value="" onChange={(event) => onChange([...chosen, event.currentTarget.value])}>
        <option value="">{full ? shared('trend.full', { count: LINES_MAX }) : shared('trend.add')}</option>
        {areas.map((area) => (
          <optgroup key={area.id} label={name(area.name)}>
            {points
              .filter((point) => point.area === area.id && !chosen.includes(point.id))
              .map((point) => (
                <option key={point.id} value={point.id}>
                  {point.id} {name(point.name)}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </div>
  );
}
