import { PRIORITIES } from '../../api/shape';
import { Shape } from '../../alarm/Symbol';
import { useLoaded } from '../../api/loaded';
import { day } from '../../clock/format';
import { nowExactly } from '../../clock/now';
import { shared } from '../../i18n/shared';
import { Failed, Skeleton } from '../../notice/Notice';
import { city as say } from '../messages';
import { columnsOf, type Column } from '../perDay';
import type { Question, Range } from '../question';
import type { AlarmHistory } from '../shape';
import { allOf, PICTURE_MAX } from './occurrences';

const HEIGHT = 120;
const WIDTH = 1_000;
/** A bar wider than this says nothing more. */
const BAR_MAX = 36;

/** Alarms a day by priority, and which days are not whole. */
export function Picture({ question, range, first }: { question: Question; range: Range; first: AlarmHistory }) {
  const loaded = useLoaded('all', (abort) => allOf(question, range, first, abort));
  if (!loaded.value) {
    return <section class="card picture">{loaded.failure ? <Failed failure={loaded.failure} stillTrue={say('record.still-true')} onRetry={loaded.again} /> : <Skeleton lines={4} />}</section>;
  }
  const columns = columnsOf(loaded.value, first.gaps, range, nowExactly());
  const most = Math.max(1, ...columns.map((column) => column.total));
  const counts = PRIORITIES.map((priority) => columns.reduce((sum, column) => sum + (column.counts[priority - 1] ?? 0), 0));
  return (
    <section class="card picture">
      <header>
        <h2 class="grow">{say('picture.title')}</h2>
        <ul class="picture-key">
          {PRIORITIES.map((priority, place) => (
            <li key={priority}>
              <Shape kind={priority} size={13} /> {shared(`priority.${priority}`)} <span class="number strong">{counts[place]}</span>
            </li>
          ))}
        </ul>
      </header>
      {first.total > PICTURE_MAX && <p class="small muted pad">{say('picture.newest', { count: PICTURE_MAX, total: first.total })}</p>}
      <div class="picture-body">
        <span class="small muted number most" aria-hidden="true">
          {most}
        </span>
        <svg class="bars" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={describe(columns)}>
          {columns.map((column, place) => (
            <Bars key={column.from_ms} column={column} left={(place * WIDTH) / columns.length} width={WIDTH / columns.length} most={most} />
          ))}
        </svg>
        <p class="small muted number ends">
          <span>{columns[0] && day(columns[0].from_ms)}</span>
          <span>{columns.length > 2 && columns[columns.length >> 1] ? day(columns[columns.length >> 1]!.from_ms) : ''}</span>
          <span>{columns.at(-1) && day(columns.at(-1)!.to_ms - 1)}</span>
        </p>
      </div>
    </section>
  );
}

/** P1 at the foot, so that the rarest is read against the same line each day. */
function Bars({ column, left, width, most }: { column: Column; left: number; width: number; most: number }) {
  const wide = Math.min(BAR_MAX, width - Math.min(4, width * 0.2));
  const x = left + (width - wide) / 2;
  let base = HEIGHT;
  return (
    <g>
      <title>{words(column)}</title>
      <rect x={left} y={0} width={width} height={HEIGHT} class={column.gap ? 'day gap' : 'day'} />
      {PRIORITIES.map((priority) => {
        const high = ((column.counts[priority - 1] ?? 0) / most) * (HEIGHT - 6);
        base -= high;
        return high > 0 && <rect key={priority} x={x} y={base} width={wide} height={high} class={`bar-${priority}`} />;
      })}
    </g>
  );
}

function words(column: Column): string {
  const counts = PRIORITIES.filter((priority) => (column.counts[priority - 1] ?? 0) > 0).map((priority) => `${shared(`priority.${priority}`)} ${column.counts[priority - 1]}`);
  return [day(column.from_ms), String(column.total), ...counts, ...(column.gap ? [say('picture.gap')] : [])].join(' · ');
}

const describe = (columns: readonly Column[]): string => say('picture.words', { days: columns.filter((column) => column.total > 0).length, total: columns.reduce((sum, column) => sum + column.total, 0) });

