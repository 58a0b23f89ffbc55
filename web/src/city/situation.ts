/** Which site needs somebody: by how dangerous the place is, and by what is wrong there now. */

import { byUrgency, kind, KINDS, suppressed, unacknowledged, type Kind } from '../alarm/state';
import type { Alarm } from '../api/shape';
import { LINKS, RISKS, type Count, type Link, type Risk, type SiteOverview } from './shape';

export type Order = 'wrong' | 'risk';
export const ORDERS: readonly Order[] = ['wrong', 'risk'];

/** A site with its alarms as the stream has them now, told apart as the whole screen tells them: a fault of the instruments is no alarm of its priority. */
export interface SiteNow extends SiteOverview {
  tally: Record<Kind, Count>;
  worst: Alarm | null;
}

const none = (): Record<Kind, Count> => ({ 1: zero(), 2: zero(), 3: zero(), 4: zero(), fault: zero() });
const zero = (): Count => ({ unacknowledged: 0, active: 0 });

export function sitesNow(sites: Iterable<SiteOverview>, alarms: Iterable<Alarm>): SiteNow[] {
  const found = new Map<string, SiteNow>();
  for (const site of sites) found.set(site.id, { ...site, tally: none(), worst: null });
  for (const alarm of alarms) {
    const site = found.get(alarm.site);
    if (!site) continue;
    const count = site.tally[kind(alarm)];
    count.unacknowledged += Number(unacknowledged(alarm));
    count.active += Number(alarm.active && !suppressed(alarm));
    if (!suppressed(alarm) && (!site.worst || byUrgency(alarm, site.worst) < 0)) site.worst = alarm;
  }
  return [...found.values()];
}

/** What a site asks for, the worst first. A site that is not heard is worse than an alarm that somebody answers for: nobody knows what happens there. */
export type Wrong = 'urgent' | 'high' | 'unheard' | 'answered' | 'waiting' | 'active' | 'calm';
export const WRONGS: readonly Wrong[] = ['urgent', 'high', 'unheard', 'answered', 'waiting', 'active', 'calm'];

export function wrong({ tally, link }: SiteNow): Wrong {
  if (tally[1].unacknowledged > 0) return 'urgent';
  if (tally[2].unacknowledged > 0) return 'high';
  if (link !== 'up') return 'unheard';
  if (tally[1].active + tally[2].active > 0) return 'answered';
  if (tally[3].unacknowledged + tally[4].unacknowledged + tally.fault.unacknowledged > 0) return 'waiting';
  return tally[3].active + tally[4].active + tally.fault.active > 0 ? 'active' : 'calm';
}

export function byOrder(order: Order): (a: SiteNow, b: SiteNow) => number {
  const byWrong = (a: SiteNow, b: SiteNow): number => WRONGS.indexOf(wrong(a)) - WRONGS.indexOf(wrong(b));
  const byRisk = (a: SiteNow, b: SiteNow): number => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk);
  const [first, second] = order === 'wrong' ? [byWrong, byRisk] : [byRisk, byWrong];
  return (a, b) => first(a, b) || second(a, b) || waiting(b) - waiting(a) || a.id.localeCompare(b.id);
}

const waiting = (site: SiteNow): number => KINDS.reduce((sum, one) => sum + site.tally[one].unacknowledged, 0);

/** Which sites are shown; nothing chosen shows all. */
export interface SiteFilter {
  risks: readonly Risk[];
  links: readonly Link[];
  /** Only sites that ask for something. */
  abnormal: boolean;
  town: string | null;
  text: string;
}

export function readSiteFilter(parameters: URLSearchParams): SiteFilter {
  const list = (name: string): string[] => (parameters.get(name) ?? '').split(',');
  return {
    risks: RISKS.filter((risk) => list('risk').includes(risk)),
    links: LINKS.filter((link) => list('link').includes(link)),
    abnormal: parameters.get('now') === 'abnormal',
    town: parameters.get('town'),
    text: parameters.get('q') ?? '',
  };
}

export function passesSite(site: SiteNow, filter: SiteFilter): boolean {
  if (filter.risks.length > 0 && !filter.risks.includes(site.risk)) return false;
  if (filter.links.length > 0 && !filter.links.includes(site.link)) return false;
  if (filter.abnormal && wrong(site) === 'calm') return false;
  if (filter.town !== null && site.town !== filter.town) return false;
  const text = filter.text.trim().toLowerCase();
  const parts = [site.id, site.name.zh, site.name.en, site.town, site.village, site.sector];
  return text === '' || parts.some((part) => part.toLowerCase().includes(text));
}

export interface Town {
  city: string;
  town: string;
  sites: SiteNow[];
}

/** Sites by city and town, each in the order given; towns by name, those of no town last. */
export function byTown(sites: readonly SiteNow[]): Town[] {
  const towns = new Map<string, Town>();
  for (const site of sites) {
    const key = `${site.city}/${site.town}`;
    const town = towns.get(key) ?? { city: site.city, town: site.town, sites: [] };
    town.sites.push(site);
    towns.set(key, town);
  }
  return [...towns.values()].sort((a, b) => Number(a.town === '') - Number(b.town === '') || a.city.localeCompare(b.city, 'zh') || a.town.localeCompare(b.town, 'zh'));
}

export interface Totals {
  alarms: Record<Kind, Count>;
  links: Record<Link, number>;
}

export function totals(sites: Iterable<SiteNow>): Totals {
  const sum: Totals = { alarms: none(), links: { up: 0, stale: 0, down: 0 } };
  for (const site of sites) {
    sum.links[site.link] += 1;
    for (const one of KINDS) {
      sum.alarms[one].unacknowledged += site.tally[one].unacknowledged;
      sum.alarms[one].active += site.tally[one].active;
    }
  }
  return sum;
}

export function linksOf(sites: Iterable<SiteOverview>): Record<Link, number> {
  const links: Record<Link, number> = { up: 0, stale: 0, down: 0 };
  for (const site of sites) links[site.link] += 1;
  return links;
}
