import { parameter, set } from '../../address/address';
import { useLoaded } from '../../api/loaded';
import { Button } from '../../control/Button';
import { shared } from '../../i18n/shared';
import { useKeys } from '../../keys/keys';
import { Failed, Skeleton } from '../../notice/Notice';
import { siteName } from '../around';
import { city } from '../city';
import { city as say } from '../messages';
import { ROLES, type User } from '../shape';
import { PersonDialog } from './PersonDialog';
import { RemoveDialog } from './RemoveDialog';

/** The value of `edit` that stands for somebody new: no id may hold a plus sign. */
const NEW = '+';
/** Names of sites shown of one person; the rest is a number. */
const SITES_SHOWN = 3;

/** Who may log in, and what each may see. */
export function People() {
  const loaded = useLoaded('people', (abort) => city.get<{ users: User[] }>('/api/admin/users', abort));
  const [edited, removed] = [parameter('edit'), parameter('remove')];
  const close = (): void => set({ edit: null, remove: null });
  const done = (): void => (close(), void loaded.again());
  useKeys({ Escape: close });
  if (!loaded.value) return <div class="card">{loaded.failure ? <Failed failure={loaded.failure} onRetry={loaded.again} /> : <Skeleton lines={8} />}</div>;
  const people = [...loaded.value.users].sort((a, b) => ROLES.indexOf(b.role) - ROLES.indexOf(a.role) || a.id.localeCompare(b.id));
  const find = (id: string | null): User | null => people.find((user) => user.id === id) ?? null;
  const toRemove = find(removed);
  return (
    <section class="card">
      <header>
        <h2 class="grow">{say('people.count', { count: people.length })}</h2>
        <Button onPress={() => set({ edit: NEW })}>{say('people.add')}</Button>
      </header>
      <div class="scroll">
        <table class="table stacks">
          <thead>
            <tr>
              {(['name', 'role', 'scope'] as const).map((column) => (
                <th key={column} scope="col">
                  {say(`people.${column}`)}
                </th>
              ))}
              <th scope="col">
                <span class="hidden">{shared('column.act')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {people.map((user) => (
              <tr key={user.id}>
                <th scope="row" class="named">
                  <span class="strong">{user.name}</span>
                  <span class="small muted">{user.id}</span>
                </th>
                <td>{say(`role.${user.role}`)}</td>
                <td class="whole">{scopeOf(user)}</td>
                <td class="right nowrap">
                  <Button label={say('people.edit-whom', { name: user.name })} onPress={() => set({ edit: user.id })}>
                    {say('admin.edit')}
                  </Button>{' '}
                  <Button label={say('people.remove-whom', { name: user.name })} disabled={user.id === city.user?.id} title={user.id === city.user?.id ? say('people.self') : undefined} onPress={() => set({ remove: user.id })}>
                    {say('admin.remove')}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(edited === NEW || find(edited)) && <PersonDialog key={edited} person={find(edited)} onDone={done} onClose={close} />}
      {toRemove && <RemoveDialog key={removed} person={toRemove} onDone={done} onClose={close} />}
    </section>
  );
}

/** What a person sees, in words. */
function scopeOf(user: User): string {
  if (user.role === 'administrator') return say('scope.all');
  if (user.role === 'regulator') return [user.jurisdiction?.city, user.jurisdiction?.town, user.jurisdiction?.village].filter(Boolean).join(' · ') || say('scope.none');
  if (user.sites.length === 0) return say('scope.none');
  const shown = user.sites.slice(0, SITES_SHOWN).map(siteName).join(say('list.and'));
  const rest = user.sites.length - SITES_SHOWN;
  return rest > 0 ? say('scope.more', { shown, count: rest }) : shown;
}
