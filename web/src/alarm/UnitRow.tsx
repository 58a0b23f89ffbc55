import type { Alarm } from '../api/shape';
import { dateTime, timeOfDayMs } from '../clock/format';
import { Icon } from '../frame/Icon';
import { name } from '../i18n/language';
import { shared } from '../i18n/shared';
import { KINDS } from './state';
import { AlarmMark, Shape } from './Symbol';
import type { Unit } from './units';

interface UnitRowProps {
  unit: Unit;
  top_px: number;
  index: number;
  chosen: boolean;
  onToggle: (unit: string) => void;
  onOpen: (alarm: Alarm) => void;
}

/** A unit's line: how much there is, how much of it asks, and what began it. */
export function UnitRow({ unit, top_px, index, chosen, onToggle, onOpen }: UnitRowProps) {
  const { firstOut } = unit;
  return (
    <div class="alarm-row unit-row live" role="row" aria-rowindex={index + 2} aria-current={chosen ? 'true' : undefined} data-unit={unit.key} data-key={`unit ${unit.key}`} style={{ transform: `translateY(${top_px}px)` }} onClick={() => onToggle(unit.key)}>
      <div role="cell" class="unit-name">
        <button type="button" class="unit-toggle" aria-expanded={unit.open} aria-label={shared(unit.open ? 'group.close' : 'group.open', { unit: unit.label })} onClick={(event) => (event.stopPropagation(), onToggle(unit.key))}>
          <Icon name={unit.open ? 'up' : 'right'} size={16} />
        </button>
        <span class="strong">{unit.label}</span>
        <span class="number muted">{shared('group.count', { count: unit.count })}</span>
        {KINDS.filter((kind) => unit.unacknowledged[kind] > 0).map((kind) => (
          <span key={kind} class={`number row sign text-${kind}`} title={shared(`priority.${kind}`)}>
            <Shape kind={kind} flashing />
            {unit.unacknowledged[kind]}
            <span class="hidden">
              {shared(`priority.${kind}`)} {shared('stand.unacknowledged')}
            </span>
          </span>
        ))}
      </div>
      <div role="cell" class="unit-first">
        {firstOut && firstOut.raised_ms !== null && (
          <>
            <span class="tag first-out">{shared('group.first-out')}</span>
            <AlarmMark alarm={firstOut} />
            <button type="button" class="as-text strong" onClick={(event) => (event.stopPropagation(), onOpen(firstOut))}>
              {name(firstOut.name)} {shared(`condition.${firstOut.condition}`)}
            </button>
            <time class="number muted" title={dateTime(firstOut.raised_ms)} dateTime={new Date(firstOut.raised_ms).toISOString()}>
              {timeOfDayMs(firstOut.raised_ms)}
            </time>
          </>
        )}
      </div>
    </div>
  );
}
