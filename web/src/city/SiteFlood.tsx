import { link } from '../address/address';
import { shared } from '../i18n/shared';
import type { SiteOverview } from './shape';

/** While a site's flood lasts: how many came in ten minutes, and the way to its list by unit; within another link, the words alone. */
export function SiteFlood({ site, plain }: { site: Pick<SiteOverview, 'id' | 'flood'>; plain?: boolean }) {
  if (site.flood.since_ms === null) return null;
  const said = shared('flood.strip', { count: site.flood.count });
  if (plain) return <span class="flood-flag">{said}</span>;
  return (
    <a class="flood-flag" href={link('alarms', { site: site.id, group: 'unit' })} title={shared('flood.hint')}>
      {said}
    </a>
  );
}
