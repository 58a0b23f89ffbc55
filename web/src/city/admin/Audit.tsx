import { parameter, set } from '../../address/address';
import { useLoaded } from '../../api/loaded';
import { query } from '../../api/call';
import { dateTime } from '../../clock/format';
import { Time } from '../../clock/Time';
import { Button } from '../../control/Button';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import { whole } from '../question';
import type { AuditEntry, AuditPage } from '../shape';

const ROWS = 50;

/** Who did what, newest first. Each line's hash holds the one before it, so that none can be changed or taken out unseen. */
export function Audit() {
  const cursor = whole(parameter('cursor'), 1, Number.MAX_SAFE_INTEGER);
  const loaded = useLoaded<AuditPage>(`audit ${cursor}`, (abort) => city.get<AuditPage>(`/api/audit?${query({ cursor, limit: ROWS })}`, abort));
  if (!loaded.value) return <div class="card">{loaded.failure ? <Failed failure={loaded.failure} stillTrue={say('audit.still-true')} onRetry={loaded.again} /> : <Skeleton lines={12} />}</div>;
  const { entries, next_cursor } = loaded.value;
  return (
    <section class="card">
      <header>
        <h2 class="grow">{say('audit.title')}</h2>
        <Button look="plain" onPress={loaded.again}>
          {say('audit.again')}
        </Button>
      </header>
      <p class="small muted pad">{say('audit.what')}</p>
      {entries.length === 0 ? (
        <Empty why={say('audit.empty')} />
      ) : (
        <div class="scroll">
          <table class="table audit stacks">
            <thead>
              <tr>
                {(['seq', 'time', 'actor', 'action', 'subject', 'detail', 'hash'] as const).map((column) => (
                  <th key={column} scope="col" class={column === 'seq' ? 'right' : undefined}>
                    {say(`audit.${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <Entry key={entry.seq} entry={entry} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <footer class="row pad no-print">
        {cursor !== null && <Button onPress={() => set({ cursor: null }, 'push')}>{say('audit.newest')}</Button>}
        {next_cursor !== null && <Button onPress={() => set({ cursor: next_cursor }, 'push')}>{say('audit.next')}</Button>}
      </footer>
    </section>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  return (
    <tr>
      <td class="right number muted">{entry.seq}</td>
      <td class="nowrap">
        <Time ms={entry.time_ms} />
      </td>
      <td class="strong">{entry.actor}</td>
      <td class={entry.action === 'login-failed' ? 'strong nowrap' : 'nowrap'}>{say.orCode('action', entry.action)}</td>
      <td>{entry.subject}</td>
      <td class="small detail whole">{detailOf(entry.detail)}</td>
      <td class="small hash" title={entry.hash}>
        {entry.hash.slice(0, 12)}
      </td>
    </tr>
  );
}

/** `时长 30 · 原因 …`, leaving out what says nothing. */
function detailOf(detail: unknown): string {
  if (detail === null || typeof detail !== 'object') return detail === null ? '' : String(detail);
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${say.orCode('detail', key)} ${valueOf(key, value)}`)
    .join(' · ');
}

function valueOf(key: string, value: unknown): string {
  if (key.endsWith('_ms') && typeof value === 'number') return dateTime(value);
  if (value === true) return say('detail.yes');
  if (Array.isArray(value)) return value.map((one) => valueOf('', one)).join(say('list.and'));
  if (typeof value === 'object' && value !== null) return Object.values(value).filter((one) => one !== '').map((one) => valueOf('', one)).join(' · ');
  return key === 'role' ? say.orCode('role', String(value)) : String(value);
}
