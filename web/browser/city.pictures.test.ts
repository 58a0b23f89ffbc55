/** Pictures of every place of the city in each condition, and on each of them axe: what a reviewer looks at. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { serveCity, type CityFixture } from '../fixture/city/server';
import { enter } from './city';
import { DESKTOP, faults, launch, PHONE, picture, WALL, type Look } from './screen';

let browser: Browser;
beforeAll(async () => void (browser = await launch()));
afterAll(() => browser.close());

/** Each place, and what shows that it stands. */
const PLACES: Record<string, [path: string, stands: string]> = {
  situation: ['/', '.site-row[data-site]'],
  towns: ['/?view=grid', '.tile'],
  alarms: ['/alarms', '.alarm-place'],
  site: ['/site/tank-farm', '.value-line'],
  points: ['/site/tank-farm?part=points', '.limits'],
  effects: ['/site/tank-farm?part=effects', '.effects'],
  coverage: ['/site/tank-farm?part=coverage', '.coverage'],
  registry: ['/site/tank-farm?part=registry', '.facts'],
  trend: ['/trend?site=tank-farm&points=GT-101,LT-101,PT-303&before=1', '.readout'],
  record: ['/record?days=30', '.bars'],
  timeline: ['/record?ask=timeline&site=tank-farm', 'tr[data-row]'],
  ranking: ['/record?ask=ranking', 'tr[data-row]'],
  performance: ['/performance?site=tank-farm&days=30', '.kpi-parts'],
  people: ['/administration', '.table'],
  sites: ['/administration?part=sites', '.table'],
  audit: ['/administration?part=audit', '.audit'],
};

/** What shows the present; the other places look the same in every condition. */
const LIVE_PLACES = ['situation', 'towns', 'alarms', 'site'];

const CONDITIONS: Record<string, (city: CityFixture) => void> = {
  calm: () => undefined,
  alarm: ({ county }) => county.mixed(),
  flood: ({ county }) => (county.mixed(), county.flood(200)),
  stale: (city) => (city.county.mixed(), city.freeze(true)),
};

const LOOKS: Record<string, Look> = {
  'zh-light': { ...DESKTOP },
  'en-dark': { ...DESKTOP, language: 'en', theme: 'dark' },
  'zh-dark-wall': { ...WALL, theme: 'dark' },
  'en-light-phone': { ...PHONE, language: 'en' },
  'zh-dark-phone': { ...PHONE, theme: 'dark' },
};

const go = (page: Page, path: string) => page.evaluate((to) => (history.pushState(null, '', to), dispatchEvent(new PopStateEvent('popstate'))), path);

describe.each(Object.entries(CONDITIONS))('with the county in condition %s', (condition, bring) => {
  let city: CityFixture;
  beforeAll(async () => void (city = await serveCity()));
  afterAll(() => city.close());

  test.each(Object.entries(LOOKS))('every place is whole and free of serious faults, seen as %s', async (name, look) => {
    city.freeze(false);
    const { page, complaints, close } = await enter(browser, city, 'admin', '/', look);
    await page.locator('[data-site="tank-farm"]').waitFor();
    bring(city);
    if (condition === 'stale') await page.locator('.banner').waitFor();
    for (const [place, [path, stands]] of Object.entries(PLACES)) {
      if (condition !== 'alarm' && !LIVE_PLACES.includes(place)) continue;
      // Within the page, as a person goes: a new load of a silent cloud would show nothing at all.
      await go(page, path);
      await page.locator(stands).first().waitFor();
      await picture(page, `city-${condition}-${place}-${name}`);
      expect(await faults(page), `${place} ${name}`).toEqual([]);
    }
    if (condition === 'alarm') await opened(page, name);
    expect(complaints).toEqual([]);
    await close();
  }, 300_000);
});

/** What opens beside or over a place. */
async function opened(page: Page, name: string): Promise<void> {
  const shows: [string, string, string][] = [
    ['details', '/alarms?open=tank-farm/GT-101.HH', '.alarm-details .readout'],
    ['person', '/administration?edit=zhou', 'dialog[open]'],
    ['registry-form', '/administration?part=sites&edit=tank-farm', 'dialog[open] .contact-fields'],
  ];
  for (const [what, path, stands] of shows) {
    await go(page, path);
    await page.locator(stands).first().waitFor();
    await picture(page, `city-${what}-${name}`);
    expect(await faults(page), `${what} ${name}`).toEqual([]);
    await go(page, '/');
  }
  await go(page, '/record?days=30');
  await page.locator('.occurrence').first().click();
  await page.locator('.alarm-details .history li').first().waitFor();
  await picture(page, `city-occurrence-${name}`);
  expect(await faults(page), `occurrence ${name}`).toEqual([]);
}

test.each(Object.entries(LOOKS))('the gate and the pages that say no are whole, seen as %s', async (name, look) => {
  const city = await serveCity();
  const gate = await enter(browser, city, null, '/', look);
  await picture(gate.page, `city-gate-${name}`);
  expect(await faults(gate.page)).toEqual([]);
  await gate.close();
  const inside = await enter(browser, city, 'town', '/administration', look);
  await inside.page.locator('.notice').waitFor();
  await picture(inside.page, `city-forbidden-${name}`);
  expect(await faults(inside.page)).toEqual([]);
  expect(inside.complaints).toEqual([]);
  await inside.close();
  await city.close();
});
