import { afterAll, beforeAll, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { serveCity } from '../fixture/city/server';
import { enter } from './city';
import { servePlant } from '../fixture/plant/server';
import { launch, open, picture } from './screen';
let loud: Browser, mute: Browser;
beforeAll(async () => void ([loud, mute] = [await launch(), await launch('--autoplay-policy=document-user-activation-required')]));
afterAll(() => Promise.all([loud.close(), mute.close()]));
const measure = (page: import('playwright-core').Page) => page.evaluate(() => ({ h: document.querySelector('.strip')!.getBoundingClientRect().height, parts: [...document.querySelectorAll('.strip > *')].map((e) => `${e.className}:${Math.round(e.getBoundingClientRect().width)}@${Math.round(e.getBoundingClientRect().top)}`).join(' ') }));


test('looks', async () => {
  const { PHONE } = await import('./screen');
  for (const language of ['zh', 'en'] as const) {
    const city = await serveCity();
    const c = await enter(mute, city, 'county', '/record?days=30', { ...PHONE, language });
    await c.page.locator('.bars').waitFor();
    await picture(c.page, `record-folded-${language}`);
    await c.page.locator('.fold').click();
    await picture(c.page, `record-open-${language}`);
    await c.close(); await city.close();
    const plant = await servePlant();
    const s = await open(loud, plant.url, '/alarms', { language });
    plant.process.mixed(); plant.process.leak();
    const row = s.page.locator('.alarm-row[data-alarm="GT-101.HH"]');
    await row.locator('.acts button').click();
    await row.locator('.quick button').first().click();
    await picture(s.page, `note-${language}`);
    await s.page.goto(plant.url + '/trend?points=GT-101');
    await s.page.locator('.readout').waitFor();
    await s.page.waitForTimeout(500);
    await picture(s.page, `trend-${language}`);
    await s.close(); await plant.close();
  }
});
