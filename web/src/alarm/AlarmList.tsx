import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Failure } from '../api/call';
import type { Alarm } from '../api/shape';
import { Button } from '../control/Button';
import { Icon } from '../frame/Icon';
import { shared } from '../i18n/shared';
import { useKeys } from '../keys/keys';
import { alarmKey } from '../live/picture';
import { sayFailure } from '../notice/Notice';
import { needsNote, type AlarmActs } from './acts';
import { AlarmRow, type Surroundings } from './AlarmRow';
import { NoteLine } from './NoteLine';
import { unacknowledged } from './state';
import { plain, type Entry } from './units';
import { UnitRow } from './UnitRow';
import { useRowHold } from './rowHold';
import { bodyHeight, sight } from './window';
import './alarm.css';

interface AlarmListProps {
  /** In the order that they are shown. */
  alarms: readonly Alarm[];
  /** The same by unit; left out, one alarm a line. */
  units?: { entries: readonly Entry[]; onToggle: (unit: string) => void } | null;
  around: Surroundings;
  acts: AlarmActs;
  /** `alarmKey` of the row whose details are open; null for none. */
  open: string | null;
  onOpen: (alarm: Alarm) => void;
  /** Goes to the trend of an alarm's point. */
  onTrend?: (alarm: Alarm) => void;
}

/** A row asks for a note, or tells why its act was refused. An answer may come long after: it never takes the note that another row asks for. */
interface Asking {
  failure: Failure | null;
  note: boolean;
}

const HEAD = ['priority', 'time', 'point', 'site', 'condition', 'value', 'limit', 'state', 'who', 'act'] as const;
/** Columns that a narrow list leaves out. */
const CLASSES: Partial<Record<(typeof HEAD)[number], string>> = { limit: 'wide', who: 'wide', site: 'c-site', condition: 'c-cond', act: 'acts' };

/** The live list. Only rows in sight are drawn; the row under the pointer stays there whatever comes above it. */
export function AlarmList({ alarms, units = null, around, acts, open, onOpen, onTrend }: AlarmListProps) {
  const given = units?.entries ?? alarms;
  const { entries, keys } = useMemo(() => listed(alarms, units?.entries ?? null), [given]);
  const rows = useRef<HTMLDivElement>(null);
  const hold = useRowHold(rows, keys);
  const [cursor, setCursor] = useState<string | null>(null);
  const [asking, setAsking] = useState<ReadonlyMap<string, Asking>>(new Map());
  const ask = (key: string, next: Asking | null): void =>
    setAsking((before) => {
      const after = new Map(before);
      if (next) after.set(key, next);
      else after.delete(key);
      return after;
    });
  const chosen = cursor !== null && keys.includes(cursor) ? cursor : open;

  const acknowledge = async (alarm: Alarm, note: string | null): Promise<void> => {
    const key = alarmKey(alarm);
    if (!acts.acknowledge) return;
    const next = keys[keys.indexOf(key) + 1];
    if (needsNote(alarm) && note === null) return ask(key, { failure: null, note: true });
    const outcome = await acts.acknowledge(alarm, note);
    ask(key, outcome.ok || outcome.failure.code === 'cancelled' ? null : { failure: outcome.failure, note: false });
    // By keyboard one goes on to the next row: this one goes to its new place.
    if (outcome.ok) setCursor((at) => (at === key ? (next ?? at) : at));
  };
  // One function for all rows and all drawings, so that rows that did not change are not drawn again.
  const press = useSteady((alarm: Alarm) => acknowledge(alarm, null));
  const openRow = useSteady((alarm: Alarm) => (setCursor(alarmKey(alarm)), onOpen(alarm)));

  const step = (by: number): void => {
    const at = chosen === null ? (by > 0 ? -1 : 0) : keys.indexOf(chosen);
    const next = Math.min(keys.length - 1, Math.max(0, at + by));
    setCursor(keys[next] ?? null);
    hold.reveal(next);
  };
  const at = entries[chosen === null ? -1 : keys.indexOf(chosen)];
  const current = at?.alarm;
  const toggle = useSteady((unit: string) => units?.onToggle(unit));
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => (current ? onOpen(current) : at?.unit && toggle(at.unit.key)),
    t: () => current && onTrend?.(current),
    a: () => void (current && unacknowledged(current) && acknowledge(current, null)),
  });

  const { from, to } = hold.printing ? { from: 0, to: entries.length } : sight(hold.scroll_px, hold.height_px, hold.row_px, entries.length);
  return (
    <div class={around.site ? 'card alarm-list with-site' : 'card alarm-list'} role="table" aria-label={shared('alarms.title')} aria-rowcount={entries.length + 1}>
      <div ref={rows} class="rows" role="rowgroup" tabIndex={0} onScroll={hold.onScroll} onPointerMove={hold.onPointerMove} onPointerLeave={hold.onPointerLeave}>
        <div class="head" role="row" aria-rowindex={1}>
          {HEAD.filter((column) => column !== 'site' || around.site).map((column) => (
            <span key={column} role="columnheader" class={CLASSES[column]}>
              {shared(`column.${column}`)}
            </span>
          ))}
        </div>
        <div class="body" role="presentation" style={{ height: `${bodyHeight(entries.length, hold)}px` }}>
        {entries.slice(from, to).map(({ key, unit, alarm, isFirstOut }, place) => {
          const where = { index: from + place, top_px: (from + place) * hold.row_px, chosen: key === chosen };
          if (unit) return <UnitRow key={key} unit={unit} {...where} onToggle={toggle} onOpen={openRow} />;
          const question = asking.get(key);
          return (
            <AlarmRow
              key={key}
              alarm={alarm}
              around={around}
              {...where}
              isFirstOut={isFirstOut}
              onOpen={openRow}
              onAcknowledge={acts.acknowledge ? press : null}
              asking={question ? <Ask ask={question} onNote={(note) => acknowledge(alarm, note)} onClose={() => ask(key, null)} /> : null}
            />
          );
        })}
        </div>
      </div>
      {hold.above > 0 && (
        <div class="new-above no-print">
          <Button look="main" onPress={hold.toTop}>
            <Icon name="up" size={16} />
            {shared('alarms.above', { count: hold.above })}
          </Button>
        </div>
      )}
    </div>
  );
}

function listed(alarms: readonly Alarm[], by: readonly Entry[] | null): { entries: readonly Entry[]; keys: readonly string[] } {
  const entries = by ?? plain(alarms);
  return { entries, keys: entries.map((entry) => entry.key) };
}

function Ask({ ask, onNote, onClose }: { ask: Asking; onNote: (note: string) => Promise<void>; onClose: () => void }) {
  if (ask.note) return <NoteLine onNote={onNote} onClose={onClose} />;
  return (
    <>
      <span class="grow strong text-fault" role="alert">
        {ask.failure && sayFailure(ask.failure)}
      </span>
      <Button onPress={onClose}>{shared('act.understood')}</Button>
    </>
  );
}

/** A function that keeps its identity and does what it was last given to do. */
function useSteady<A extends unknown[], R>(act: (...given: A) => R): (...given: A) => R {
  const held = useRef(act);
  useLayoutEffect(() => void (held.current = act));
  return useRef((...given: A) => held.current(...given)).current;
}
