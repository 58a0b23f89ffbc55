import { useState } from 'preact/hooks';
import { useLoaded } from '../../api/loaded';
import type { Text } from '../../api/shape';
import { dateTime, duration } from '../../clock/format';
import { Button } from '../../control/Button';
import { language, name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { personName, sectorOf, siteName } from '../around';
import { city } from '../city';
import { city as say } from '../messages';
import { answerPath, type Cell, type Kind, type Narrowed, type TablePage } from './asks';

const PAGE = 100;
/** A detail longer than this is told whole in the audit log and in files. */
const TEXT_MAX = 120;

/** The answer to a question as a table, a page at a time. */
export function TableAnswer({ asked }: { asked: Narrowed }) {
  const [older, setOlder] = useState<TablePage[]>([]);
  const ask = (cursor: string | null, abort?: AbortSignal) => city.get<TablePage>(answerPath(asked, { cursor, limit: PAGE }), abort);
  const first = useLoaded<TablePage>('first', (abort) => ask(null, abort));
  if (!first.value) {
    return <div class="card">{first.failure ? <Failed failure={first.failure} stillTrue={say('record.still-true')} onRetry={first.again} /> : <Skeleton lines={10} />}</div>;
  }
  const pages = [first.value, ...older];
  const rows = pages.flatMap((page) => page.rows);
  const cursor = pages.at(-1)?.next_cursor ?? null;
  const more = async (): Promise<void> => {
    const page = await ask(cursor);
    if (page.ok) setOlder([...older, page.value]);
  };
  return (
    <section class="card answer">
      <header>
        <h2 class="grow number">{say(cursor === null && !pages.some((page) => page.is_cut) ? 'ask.rows' : 'ask.rows-and-more', { count: rows.length })}</h2>
        <span class="small muted number">{say('ask.took', { ms: Math.max(1, Math.round(first.value.took_ms)) })}</span>
      </header>
      {rows.length === 0 ? <Empty why={say.orCode('ask.nothing', asked.ask)} next={say('ask.nothing-next')} /> : <Rows asked={asked} columns={first.value.columns} rows={rows} />}
      {pages.some((page) => page.is_cut) && (
        <p class="pad text-fault strong" role="status">
          {say('ask.cut', { count: rows.length })}
        </p>
      )}
      {cursor !== null && (
        <footer class="pad no-print">
          <Button onPress={more}>{say('ask.more')}</Button>
        </footer>
      )}
    </section>
  );
}

function Rows({ asked, columns, rows }: Pick<TablePage, 'columns' | 'rows'> & { asked: Narrowed }) {
  const shown = arranged(asked, columns);
  const site = columns.findIndex((column) => column.key === 'site');
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={say('record.question')}>
      <table class="table asked">
        <thead>
          <tr>
            {shown.map(({ key, kind, head }) => (
              <th key={key} scope="col">
                {headOf(head, kind)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={place} data-row>
              {shown.map(({ key, kind, at }) => (
                <td key={key} class={classOf(kind)}>
                  {words(key, kind, row[at] ?? null, row[site])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What says less of an event than who did it and why. */
const FIGURES = new Set(['state', 'priority', 'value', 'limit', 'unit']);

/** The columns as a screen has room for them, each with its place in a row: who and why must not lie beyond its edge. Files have all of them in their order. */
function arranged({ ask, question }: Narrowed, columns: TablePage['columns']) {
  const placed = columns.map((column, at) => ({ ...column, at })).filter(({ key }) => key !== 'site' || question.site === null);
  if (ask !== 'acts' && ask !== 'timeline') return placed;
  const isFigure = ({ key }: { key: string }): boolean => FIGURES.has(key);
  return [...placed.filter((column) => !isFigure(column)), ...placed.filter(isFigure)];
}

/** Heads of files say seconds; the screen writes hours and minutes. */
const headOf = (head: Text, kind: Kind): string => (kind === 'lasting' ? name(head).replace(/ ?[(\uff08][^)\uff09]*[)\uff09]$/, '') : name(head));

const classOf = (kind: Kind): string => (kind === 'text' ? 'worded' : kind === 'code' ? 'nowrap' : 'number nowrap');

function words(key: string, kind: Kind, cell: Cell, site: Cell | undefined): string {
  if (cell === null) return '';
  if (typeof cell === 'object') return name(cell);
  if (typeof cell === 'boolean') return say(cell ? 'ask.yes' : 'ask.no');
  if (typeof cell === 'number') return figure(kind, cell);
  if (key === 'actor' || key === 'acknowledged-by') return personName(cell, typeof site === 'string' ? site : '');
  if (key === 'site') return siteName(cell);
  if (kind === 'code') return code(key, cell);
  if (key === 'sector') return sectorOf({ sector: cell });
  return cell.length > TEXT_MAX ? `${cell.slice(0, TEXT_MAX)}…` : cell;
}

function figure(kind: Kind, value: number): string {
  switch (kind) {
    case 'time':
      return dateTime(value);
    case 'lasting':
      return duration(value);
    case 'share':
      return `${(value * 100).toFixed(1)} %`;
    default:
      return value.toLocaleString(language.value, { maximumSignificantDigits: 6, useGrouping: false });
  }
}

/** The words of a code, from whichever book has them. */
function code(key: string, text: string): string {
  if (key === 'risk') return shared.orCode('risk', text);
  if (key === 'group') return siteName(text) === text ? sectorOf({ sector: say.orCode('hazard', text) }) : siteName(text);
  const books = [
    [say, 'code', text],
    [say, 'action', text],
    [shared, 'transition', text],
    [shared, 'state', text],
    [shared, 'condition', text.toUpperCase()],
  ] as const;
  for (const [book, prefix, asked] of books) {
    const found = book.orCode(prefix, asked);
    if (found !== asked) return found;
  }
  return text;
}
