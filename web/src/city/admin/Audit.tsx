import { parameter, set } from '../../address/address';
import { useLoaded } from '../../api/loaded';
import { query } from '../../api/call';
import { dateTime } from '../../clock/format';
import { Time } from '../../clock/Time';
import { Button } from '../../control/Button';
import { shared } from '../../i18n/shared';
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
        <div class="scroll" tabIndex={0} role="region" aria-label={say('audit.title')}>
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
      <td class="strong">{say.orCode('actor', entry.actor)}</td>
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
    .map(([key, value]) => ({ key, text: valueOf(key, value) }))
    .filter(({ text }) => text !== '')
    .map(({ key, text }) => `${say.orCode('detail', key)} ${text}`)
    .join(' · ');
}

function valueOf(key: string, value: unknown): string {
  if (value === null || value === false) return '';
  if (value === true) return say('detail.yes');
  if (key.endsWith('_ms') && typeof value === 'number') return dateTime(value);
  if (Array.isArray(value)) return value.map((one) => valueOf(key, one)).join(say('list.and'));
  if (typeof value === 'object') return Object.values(value as object).map((one) => valueOf('', one)).filter(Boolean).join(' · ');
  return WORDS[key]?.(String(value)) ?? String(value);
}

/** Codes that have words. */
const WORDS: Record<string, (code: string) => string> = {
  role: (code) => say.orCode('role', code),
  risk: (code) => shared.orCode('risk', code),
  sector: (code) => say.orCode('sector', code),
  slot_state: (code) => shared.orCode('slot-state', code),
  slot_why: (code) => shared.orCode('slot-why', code),
};
