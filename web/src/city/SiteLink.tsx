import { Ago } from '../clock/Time';
import { dateTime } from '../clock/format';
import { shared } from '../i18n/shared';
import { city as say } from './messages';
import type { Link } from './shape';

/** Whether a site is heard, and since when it was last. */
export function SiteLink({ link, last_seen_ms }: { link: Link; last_seen_ms: number | null }) {
  return (
    <span class="link-state live" data-state={link === 'up' ? 'up' : 'down'} title={last_seen_ms === null ? undefined : dateTime(last_seen_ms)}>
      <span class="lamp" aria-hidden="true" />
      {shared(`link.${link}`)}
      <span class="number">{last_seen_ms === null ? say('site.never-seen') : <Ago ms={last_seen_ms} />}</span>
    </span>
  );
}
