import { parameter, set } from '../../address/address';
import { kind } from '../../alarm/state';
import { Mark, Shape } from '../../alarm/Symbol';
import { dateTime, duration } from '../../clock/format';
import { Lasting } from '../../clock/Time';
import { Button } from '../../control/Button';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Empty } from '../../notice/Notice';
import { personName, pointOf, siteName } from '../around';
import { city as say } from '../messages';
import { rowsOf } from '../perDay';
import type { Gap, Occurrence } from '../shape';
import { figure } from '../../value/Reading';
import { occurrenceKey } from './occurrences';

interface AnswerProps {
  occurrences: readonly Occurrence[];
  gaps: readonly Gap[];
  /** There are more gaps than these. */
  gapsCut: boolean;
  total: number;
  open: string | null;
  /** No page is left. */
  whole: boolean;
  onMore: () => Promise<void>;
}

const COLUMNS = ['priority', 'raised', 'site', 'condition', 'peak', 'acknowledged', 'duration'] as const;
/** Left out beside an open occurrence, which tells them. */
const SPARED: readonly string[] = ['condition', 'peak'];

/** What was found, newest first, with each gap of record where it lies. */
export function Answer({ occurrences, gaps, gapsCut, total, open, whole, onMore }: AnswerProps) {
  const rows = rowsOf(occurrences, gaps, whole);
  return (
    <section class="card answer">
      <header>
        <h2 class="grow number">{say('record.found', { total })}</h2>
        <span class={gaps.length > 0 ? 'small text-fault strong' : 'small muted'}>{gaps.length > 0 ? say(gapsCut ? 'record.gaps-and-more' : 'record.gaps', { count: gaps.length }) : say('record.no-gaps')}</span>
      </header>
      {rows.length === 0 ? (
        <Empty why={say('record.nothing')} next={say('record.nothing-next')} />
      ) : (
        <div class="scroll">
          <table class="table stacks">
            <thead>
              <tr>
                {COLUMNS.map((column) => (
                  <th key={column} scope="col" class={SPARED.includes(column) ? 'spared' : undefined}>
                    {say(`record.column.${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{rows.map((row) => ('gap' in row ? <GapRow key={`gap ${row.gap.site} ${row.gap.from_ms}`} gap={row.gap} /> : <Row key={occurrenceKey(row.occurrence)} one={row.occurrence} chosen={occurrenceKey(row.occurrence) === open} />))}</tbody>
          </table>
        </div>
      )}
      {!whole && (
        <footer class="pad no-print">
          <Button onPress={onMore}>{say('record.more', { shown: occurrences.length, total })}</Button>
        </footer>
      )}
    </section>
  );
}

function Row({ one, chosen }: { one: Occurrence; chosen: boolean }) {
  const key = occurrenceKey(one);
  const show = (): void => set({ open: chosen ? null : key }, parameter('open') === null ? 'push' : 'replace');
  return (
    <tr class="occurrence" aria-current={chosen ? 'true' : undefined} onClick={show}>
      <td>
        <Mark kind={kind(one)} />
      </td>
      <td class="nowrap">
        <time>{dateTime(one.raised_ms)}</time> {one.late && <span class="tag">{shared('time.late')}</span>}
      </td>
      <th scope="row" class="named">
        <button
          type="button"
          class="as-link"
          aria-expanded={chosen}
          onClick={(event) => {
            event.stopPropagation();
            show();
          }}
        >
          {name(one.name)}
        </button>
        <span class="small muted">
          {siteName(one.site)} · {one.alarm}
        </span>
      </th>
      <td class="nowrap spared">{shared.orCode('condition', one.condition)}</td>
      <td class="number nowrap spared">
        {peak(one)} <span class="small muted">{one.limit !== null && one.condition !== 'ON' && say('record.limit', { limit: trimmed(one.limit) })}</span>
      </td>
      <td class="nowrap">
        <Acknowledged one={one} />
      </td>
      <td class="number nowrap">{one.duration_ms !== null ? duration(one.duration_ms) : <span class="strong">{say('record.goes-on')} <Lasting from_ms={one.raised_ms} /></span>}</td>
    </tr>
  );
}

function Acknowledged({ one }: { one: Occurrence }) {
  if (one.time_to_acknowledge_ms === null) return <span class="strong">{say('record.unacknowledged')} <Lasting from_ms={one.raised_ms} /></span>;
  return (
    <>
      <span class="number">{duration(one.time_to_acknowledge_ms)}</span> <span class="small muted">{one.acknowledged_by !== null && personName(one.acknowledged_by, one.site)}</span>
    </>
  );
}

/** A span of which nobody can say that nothing happened. */
function GapRow({ gap }: { gap: Gap }) {
  return (
    <tr class="gap-row">
      <td>
        <span class="mark text-fault">
          <Shape kind="fault" /> {say('gap.word')}
        </span>
      </td>
      <td class="nowrap">
        <time>{dateTime(gap.from_ms)}</time>
      </td>
      <td>
        <span class="strong">{siteName(gap.site)}</span>
      </td>
      <td colSpan={3}>{gap.to_ms === null ? say('gap.goes-on') : say('gap.until', { time: dateTime(gap.to_ms) })}</td>
      <td class="number nowrap"><Lasting from_ms={gap.from_ms} to_ms={gap.to_ms} /></td>
    </tr>
  );
}

/** At most as precise as the instrument, where it is known. */
export function peak(one: Occurrence): string {
  if (one.peak === null) return '';
  const point = pointOf(one.site, one.alarm.slice(0, one.alarm.lastIndexOf('.')));
  if (point) return point.states ? figure(one.peak, point) : `${figure(one.peak, point)} ${one.unit}`;
  return `${trimmed(one.peak)} ${one.unit}`;
}

export const trimmed = (value: number): string => String(Number(value.toPrecision(5)));
