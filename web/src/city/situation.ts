/** Which site needs somebody: by how dangerous the place is, and by what is wrong there now. */

import { PRIORITIES } from '../api/shape';
import { fault, suppressed, unacknowledged } from '../alarm/state';
import { LINKS, RISKS, type Count, type CountKey, type Link, type Risk, type SiteOverview } from './shape';

export type Order = 'wrong' | 'risk';
export const ORDERS: readonly Order[] = ['wrong', 'risk'];

/** What a site asks for, the worst first. A site that is not heard is worse than an alarm that somebody answers for: nobody knows what happens there. */
export type Wrong = 'urgent' | 'high' | 'unheard' | 'answered' | 'waiting' | 'active' | 'calm';
export const WRONGS: readonly Wrong[] = ['urgent', 'high', 'unheard', 'answered', 'waiting', 'active', 'calm'];

export function wrong(site: SiteOverview): Wrong {
  const { p1, p2, p3, p4 } = site.alarms;
  if (p1.unacknowledged > 0) return 'urgent';
  if (p2.unacknowledged > 0) return 'high';
  if (site.link !== 'up') return 'unheard';
  if (p1.active + p2.active > 0) return 'answered';
  if (p3.unacknowledged + p4.unacknowledged > 0) return 'waiting';
  return p3.active + p4.active > 0 ? 'active' : 'calm';
}

export const countOf = (site: SiteOverview, priority: number): Count => site.alarms[`p${priority}` as CountKey];

export function byOrder(order: Order): (a: SiteOverview, b: SiteOverview) => number {
  const byWrong = (a: SiteOverview, b: SiteOverview): number => WRONGS.indexOf(wrong(a)) - WRONGS.indexOf(wrong(b));
  const byRisk = (a: SiteOverview, b: SiteOverview): number => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk);
  const [first, second] = order === 'wrong' ? [byWrong, byRisk] : [byRisk, byWrong];
  return (a, b) => first(a, b) || second(a, b) || waiting(b) - waiting(a) || a.id.localeCompare(b.id);
}

const waiting = (site: SiteOverview): number => PRIORITIES.reduce((sum, priority) => sum + countOf(site, priority).unacknowledged, 0);

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

export function passesSite(site: SiteOverview, filter: SiteFilter): boolean {
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
  sites: SiteOverview[];
}

/** Sites by city and town, each in the order given; towns by name, those of no town last. */
export function byTown(sites: readonly SiteOverview[]): Town[] {
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
  alarms: Record<CountKey, Count>;
  links: Record<Link, number>;
}

export function totals(sites: Iterable<SiteOverview>): Totals {
  const none = (): Count => ({ unacknowledged: 0, active: 0 });
  const sum: Totals = { alarms: { p1: none(), p2: none(), p3: none(), p4: none() }, links: { up: 0, stale: 0, down: 0 } };
  for (const site of sites) {
    sum.links[site.link] += 1;
    for (const priority of PRIORITIES) {
      const [into, from] = [sum.alarms[`p${priority}`], countOf(site, priority)];
      into.unacknowledged += from.unacknowledged;
      into.active += from.active;
    }
  }
  return sum;
}

/** The alarm that a line about the site names: one that asks for somebody. What is suppressed, or answered and gone, is no news. */
export function spokenOf(site: SiteOverview): SiteOverview['worst'] {
  const worst = site.worst;
  return worst && !suppressed(worst) && (worst.active || unacknowledged(worst) || fault(worst)) ? worst : null;
}
