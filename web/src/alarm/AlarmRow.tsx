import type { ComponentChildren } from 'preact';
import { memo } from './memo';
import type { Alarm, Point, Value } from '../api/shape';
import { Ago, Lasting } from '../clock/Time';
import { absolute, dateTime } from '../clock/format';
import { now } from '../clock/now';
import { Button } from '../control/Button';
import { name } from '../i18n/language';
import { shared } from '../i18n/shared';
import type { ReadonlySignal } from '@preact/signals';
import { figure, Reading } from '../value/Reading';
import { AlarmMark } from './Symbol';
import { fault, suppressed, unacknowledged } from './state';

/** What the list knows of an alarm's surroundings; a face hands it in. */
export interface Surroundings {
  /** The point of an alarm; null for a device's. */
  point: (alarm: Alarm) => Point | null;
  value: (alarm: Alarm) => ReadonlySignal<Value | null> | null;
  /** The site's name, where there are several: a column of its own. */
  site?: (alarm: Alarm) => string;
  /** The area, or the device where there is none. */
  where: (alarm: Alarm) => string;
  /** An act that is on its way to where the alarm lives, in words; null for none. */
  pending?: (alarm: Alarm) => string | null;
  /** The name behind an actor's id; the id itself where nobody knows it. */
  who: (actor: string, alarm: Alarm) => string;
}

interface CellsProps {
  alarm: Alarm;
  around: Surroundings;
  /** Null for a role that only watches. */
  onAcknowledge: ((alarm: Alarm) => unknown) | null;
  /** It began what happened in its unit. */
  isFirstOut?: boolean;
  /** A question or a refusal in place of the right half of the row. */
  asking: ComponentChildren | null;
}

interface AlarmRowProps extends CellsProps {
  top_px: number;
  index: number;
  chosen: boolean;
  onOpen: (alarm: Alarm) => void;
}

/** A row where it stands now. In a flood most rows only move: what is in them is not drawn again for that. */
export function AlarmRow({ top_px, index, chosen, onOpen, ...cells }: AlarmRowProps) {
  const { alarm } = cells;
  return (
    <div
      class="alarm-row live"
      role="row"
      aria-rowindex={index + 2}
      aria-current={chosen ? 'true' : undefined}
      data-alarm={alarm.id}
      data-key={`${alarm.site}/${alarm.id}`}
      data-state={alarm.state}
      data-asks={unacknowledged(alarm) && !fault(alarm) ? alarm.priority : undefined}
      data-suppressed={suppressed(alarm) || undefined}
      style={{ transform: `translateY(${top_px}px)` }}
      onClick={() => onOpen(alarm)}
    >
      <Cells {...cells} />
    </div>
  );
}

const Cells = memo(function Cells({ alarm, around, onAcknowledge, asking, isFirstOut = false }: CellsProps) {
  const point = around.point(alarm);
  return (
    <>
      <div role="cell" class="c-mark">
        <AlarmMark alarm={alarm} />
      </div>
      <div role="cell" class="two c-time">
        <Raised alarm={alarm} />
      </div>
      <div role="cell" class="two c-name">
        <span class="strong">{name(alarm.name)}</span>
        <span class="small muted">
          {isFirstOut && <span class="tag first-out">{shared('group.first-out')}</span>} {alarm.id} · {around.site && <span class="at-site">{around.site(alarm)} · </span>}
          {around.where(alarm)}
        </span>
      </div>
      {around.site && (
        <div role="cell" class="c-site">
          {around.site(alarm)}
        </div>
      )}
      <div role="cell" class="c-cond">{shared(`condition.${alarm.condition}`)}</div>
      {asking ? (
        <div role="cell" class="asking" onClick={(event) => event.stopPropagation()}>
          {asking}
        </div>
      ) : (
        <>
          <div role="cell" class="two c-value">
            <ValueNow alarm={alarm} around={around} />
            <span class="small muted number">{valueThen(alarm, point)}</span>
          </div>
          <div role="cell" class="wide number">{limitText(alarm, point)}</div>
          <div role="cell" class="two c-state">
            <span class="strong">
              {around.pending?.(alarm) ?? shared(`state.${alarm.state}`)}
              {alarm.late && <span class="tag">{shared('time.late')}</span>}
            </span>
            <span class="small muted">{alarm.raised_ms !== null && <Lasting from_ms={alarm.raised_ms} to_ms={alarm.active ? null : alarm.cleared_ms} />}</span>
          </div>
          <div role="cell" class="wide">{alarm.actor !== null && around.who(alarm.actor, alarm)}</div>
          <div role="cell" class="acts">{onAcknowledge && unacknowledged(alarm) && <Button onPress={() => onAcknowledge(alarm)}>{shared('act.acknowledge')}</Button>}</div>
        </>
      )}
    </>
  );
});

function Raised({ alarm }: { alarm: Alarm }) {
  if (alarm.raised_ms === null) return null;
  return (
    <>
      <time title={dateTime(alarm.raised_ms)} dateTime={new Date(alarm.raised_ms).toISOString()}>
        {absolute(alarm.raised_ms, now.value)}
      </time>
      <span class="small muted">
        <Ago ms={alarm.raised_ms} />
      </span>
    </>
  );
}

function ValueNow({ alarm, around }: { alarm: Alarm; around: Surroundings }) {
  const point = around.point(alarm);
  const value = around.value(alarm);
  if (alarm.point === null) return <span>{shared(alarm.active ? 'device.silent' : 'device.answers')}</span>;
  // A city follows the values of one site at a time; elsewhere the value of then is what is known.
  if (!point || !value) return null;
  return <Reading value={value.value} point={point} />;
}

/** `发生时 62.1 %LEL` */
function valueThen(alarm: Alarm, point: Point | null): string {
  if (alarm.cause_then) return shared('value.then', { value: shared.orCode('cause', alarm.cause_then) });
  if (alarm.value_then === null) return '';
  const text = point ? figure(alarm.value_then, point) : String(alarm.value_then);
  return shared('value.then', { value: point?.states ? text : `${text} ${alarm.unit}` });
}

export function limitText(alarm: Alarm, point: Point | null): string {
  if (alarm.limit === null || point?.states) return '';
  return `${point ? alarm.limit.toFixed(point.decimals) : alarm.limit} ${alarm.unit}`;
}
