import { parameter, set } from '../../address/address';
import { Button } from '../../control/Button';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { useKeys } from '../../keys/keys';
import { Empty, Skeleton } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import { SiteLink } from '../SiteLink';
import { RegistryDialog } from './RegistryDialog';

/** The value of `edit` that stands for a new site: no id may hold a plus sign. */
const NEW = '+';

/** The registry: where each site is, how dangerous, whom to call. */
export function Sites() {
  const edited = parameter('edit');
  const close = (): void => set({ edit: null });
  useKeys({ Escape: close });
  const known = city.sites.value;
  if (!known) return <Skeleton lines={8} />;
  const sites = [...known.values()].sort((a, b) => a.id.localeCompare(b.id));
  return (
    <section class="card">
      <header>
        <h2 class="grow">{say('sites.count', { count: sites.length })}</h2>
        <Button onPress={() => set({ edit: NEW })}>{say('sites.add')}</Button>
      </header>
      {sites.length === 0 ? (
        <Empty why={say('situation.none')} next={say('situation.none-next-administrator')} />
      ) : (
        <div class="scroll">
          <table class="table stacks">
            <thead>
              <tr>
                {(['site', 'place', 'sector', 'risk', 'link'] as const).map((column) => (
                  <th key={column} scope="col">
                    {say(`sites.${column}`)}
                  </th>
                ))}
                <th scope="col">
                  <span class="hidden">{shared('column.act')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {sites.map((site) => (
                <tr key={site.id}>
                  <th scope="row" class="named">
                    <span class="strong">{name(site.name)}</span>
                    <span class="small muted">{site.id}</span>
                  </th>
                  <td>{[site.city, site.town, site.village].filter(Boolean).join(' · ') || <span class="muted">{say('registry.missing')}</span>}</td>
                  <td>{site.sector}</td>
                  <td>
                    <RiskMark risk={site.risk} />
                  </td>
                  <td>
                    <SiteLink link={site.link} last_seen_ms={site.last_seen_ms} />
                  </td>
                  <td class="right">
                    <Button label={say('sites.edit-which', { name: name(site.name) })} onPress={() => set({ edit: site.id })}>
                      {say('admin.edit')}
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {edited !== null && <RegistryDialog key={edited} site={edited === NEW ? null : edited} onClose={close} />}
    </section>
  );
}
