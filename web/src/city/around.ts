/** What the alarm list knows of an alarm's surroundings in the city: its site's description once it came, values of the site that is followed. */

import type { Surroundings } from '../alarm/AlarmRow';
import type { Alarm, Point } from '../api/shape';
import { name } from '../i18n/language';
import { alarmKey } from '../live/picture';
import { city } from './city';
import { city as say } from './messages';

export const siteName = (id: string): string => {
  const site = city.sites.value?.get(id);
  return site ? name(site.name) : id;
};

export const pointOf = (site: string, id: string | null): Point | null => (id === null ? null : (city.model(site)?.points.find((point) => point.id === id) ?? null));

export function areaName(site: string, id: string | null): string {
  if (!id) return '';
  const area = city.model(site)?.areas.find((candidate) => candidate.id === id);
  return area ? name(area.name) : id;
}

/**
 * `followed`: the site whose values come in the stream. `within`: a page of one site, which need not be named in each row. One object a site, so that rows
 * are drawn again only when it changes.
 */
export const surroundings = (followed: string | null, within = false): Surroundings => ({
  point: (alarm) => pointOf(alarm.site, alarm.point),
  value: (alarm) => (alarm.site === followed && alarm.point !== null ? city.picture.value(alarm.point, alarm.site) : null),
  ...(within ? {} : { site: (alarm: Alarm) => siteName(alarm.site) }),
  where: (alarm) => areaName(alarm.site, alarm.area) || alarm.device,
  who: (actor, alarm) => personName(actor, alarm.site),
  pending,
});

/** People of the gateway by their names; of the city's own a screen knows only who sits before it. */
export function personName(id: string, site: string): string {
  if (id === city.user?.id) return city.user.name;
  return city.model(site)?.people?.find((person) => person.id === id)?.name ?? id;
}

function pending(alarm: Alarm): string | null {
  const act = city.orders.pending.value.get(alarmKey(alarm));
  return act === undefined ? null : say('order.pending', { act: say.orCode('order', act) });
}
