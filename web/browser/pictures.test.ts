/** Pictures of every place in each condition, and on each of them axe: what a reviewer looks at. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { servePlant, type PlantFixture } from '../fixture/plant/server';
import { DESKTOP, faults, launch, open, PHONE, picture, WALL, type Look } from './screen';

let browser: Browser;
beforeAll(async () => void (browser = await launch()));
afterAll(() => browser.close());

const PLACES: Record<string, string> = {
  overview: '/',
  alarms: '/alarms',
  trend: '/trend?points=GT-101,LT-101,PT-303&before=1',
  performance: '/performance?days=30',
  system: '/system',
};

/** The four conditions that a screen is judged in. */
const CONDITIONS: Record<string, (plant: PlantFixture) => void> = {
  calm: () => undefined,
  alarm: ({ process }) => process.leak(),
  flood: ({ process }) => (process.mixed(), process.leak(), process.flood(200)),
  stale: (plant) => (plant.process.mixed(), plant.freeze(true)),
};

const LOOKS: Record<string, Look> = {
  'zh-light': { ...DESKTOP },
  'en-light': { ...DESKTOP, language: 'en' },
  'zh-dark': { ...DESKTOP, theme: 'dark' },
  'en-dark': { ...DESKTOP, language: 'en', theme: 'dark' },
  'zh-dark-wall': { ...WALL, theme: 'dark' },
  'en-light-phone': { ...PHONE, language: 'en' },
  'zh-dark-phone': { ...PHONE, theme: 'dark' },
};

/** Both languages and both themes in each condition, every size somewhere: all of them everywhere would take a quarter of an hour. */
const SEEN: Record<string, string[]> = {
  calm: ['zh-light', 'en-light', 'zh-dark', 'en-dark', 'en-light-phone'],
  alarm: ['en-light', 'zh-dark-wall', 'zh-dark-phone'],
  flood: ['zh-light', 'en-dark', 'en-light-phone'],
  stale: ['en-dark', 'zh-light', 'zh-dark-phone'],
};

describe.each(Object.entries(CONDITIONS))('with the plant in condition %s', (condition, bring) => {
  let plant: PlantFixture;
  beforeAll(async () => void (plant = await servePlant()));
  afterAll(() => plant.close());

  test.each(SEEN[condition] ?? [])('every place is whole and free of serious faults, seen as %s', async (name) => {
    plant.process.calm();
    plant.freeze(false);
    const { page, complaints, close } = await open(browser, plant.url, '/', LOOKS[name]);
    await page.locator('.point .figure').first().waitFor();
    bring(plant);
    if (condition === 'stale') await page.locator('.banner').waitFor();
    for (const [place, path] of Object.entries(PLACES)) {
      // Within the page, as a person goes: a new load of a frozen plant would show nothing at all.
      await page.evaluate((to) => (history.pushState(null, '', to), dispatchEvent(new PopStateEvent('popstate'))), path);
      await page.locator(place === 'overview' ? '.areas' : place === 'alarms' ? '.alarm-place' : place === 'trend' ? '.readout' : place === 'performance' ? '.kpi-parts' : '.parts').first().waitFor();
      await picture(page, `plant-${condition}-${place}-${name}`);
      expect(await faults(page), `${place} ${name}`).toEqual([]);
    }
    if (condition === 'alarm' || condition === 'flood') {
      await page.evaluate(() => (history.pushState(null, '', '/alarms'), dispatchEvent(new PopStateEvent('popstate'))));
      await page.locator('.alarm-row').first().click();
      await page.locator('.alarm-details .readout').waitFor();
      await picture(page, `plant-${condition}-details-${name}`);
      expect(await faults(page), `details ${name}`).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await close();
  });
});
