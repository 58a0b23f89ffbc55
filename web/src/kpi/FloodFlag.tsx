import { link } from '../address/address';
import { shared } from '../i18n/shared';
import type { Flood } from './shape';

/** While a flood lasts: how many came in ten minutes, and the way to the list by unit. */
export function FloodFlag({ flood }: { flood: Flood }) {
  if (flood.since_ms === null) return null;
  return (
    <a class="flood-flag live" href={link('alarms', { group: 'unit' })} title={shared('flood.hint')}>
      {shared('flood.strip', { count: flood.count })}
    </a>
  );
}
