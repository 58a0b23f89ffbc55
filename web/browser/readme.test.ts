/** The pictures of docs/pictures, taken anew by `npm run pictures`: the plant's screen with a leak, in both languages. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { servePlant, type PlantFixture } from '../fixture/plant/server';
import { DESKTOP, launch, open, PHONE, picture, type Look } from './screen';

let browser: Browser;
let plant: PlantFixture;
beforeAll(async () => {
  browser = await launch();
  plant = await servePlant();
});
afterAll(async () => {
  await plant.close();
  await browser.close();
});

const PICTURES: Record<string, [string, Look]> = {
  'plant-alarm': ['/', { ...DESKTOP }],
  'plant-alarm-en': ['/', { ...DESKTOP, language: 'en' }],
  'plant-list': ['/alarms', { ...DESKTOP }],
  'plant-list-en': ['/alarms', { ...DESKTOP, language: 'en' }],
  'plant-phone': ['/alarms', { ...PHONE }],
};

test.each(Object.entries(PICTURES))('%s shows the leak and nothing is amiss', async (name, [path, look]) => {
  plant.process.calm();
  const { page, complaints, close } = await open(browser, plant.url, path, look);
  plant.process.leak();
  await page.locator(path === '/' ? '.point[data-point] .symbol, .point .symbol' : '.alarm-row[data-asks="1"]').first().waitFor();
  await picture(page, name);
  expect(complaints).toEqual([]);
  await close();
});
