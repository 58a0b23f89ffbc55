/**
 * A leak on the simulated plant, as the people meet it who watch: at the plant's own screen and in the city, in both languages.
 * Needs running daemons: DAVY_CITY and DAVY_CONTROL (addresses), DAVY_PLANTS (`site=address,site=address`).
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { faults, launch, open, picture, type Screen } from '../browser/screen';

const address = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the story through cargo xtask test`);
  return value;
};
const CITY = address('DAVY_CITY');
const CONTROL = address('DAVY_CONTROL');
const PLANTS = new Map(address('DAVY_PLANTS').split(',').map((pair) => pair.split('=') as [string, string]));
/** A leak takes its time to spread, and the fan to clear it. */
const SLOW = { timeout: 120_000 };

let browser: Browser;
beforeAll(async () => void (browser = await launch()));
afterAll(() => browser.close());

/** Starts a scenario; answers how to end it. */
async function begin(kind: string, site: string): Promise<() => Promise<void>> {
  const begun = await fetch(`${CONTROL}/api/scenarios`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind, site }) });
  expect(begun.status).toBe(201);
  const { id } = (await begun.json()) as { id: number };
  return async () => void (await fetch(`${CONTROL}/api/scenarios/${id}`, { method: 'DELETE' }));
}

async function at(base: string, path: string, language: 'zh' | 'en'): Promise<Screen> {
  const screen = await open(browser, base, path, { language });
  await screen.page.locator('.frame[data-feed="live"]').waitFor();
  return screen;
}

async function cityAt(path: string, language: 'zh' | 'en', user: string): Promise<Screen> {
  const screen = await open(browser, CITY, path, { language, stands: '.gate' });
  await screen.page.locator('input[name="username"]').fill(user);
  await screen.page.locator('input[name="password"]').fill('davy-demo');
  await screen.page.keyboard.press('Enter');
  await screen.page.locator('.frame[data-feed="live"]').waitFor();
  return screen;
}

const urgent = (page: Page) => page.locator('.alarm-row[data-asks="1"]').first();

/** An urgent alarm as it must look: shape, colour and words. */
async function looksUrgent(page: Page, words: { priority: string; state: string }): Promise<string> {
  const row = urgent(page);
  await row.waitFor(SLOW);
  await expect.poll(() => row.locator('svg.kind-1 path').count()).toBe(1);
  await expect.poll(() => row.locator('.mark').innerText()).toContain(words.priority);
  await expect.poll(() => row.locator('.mark').evaluate((mark) => getComputedStyle(mark).color)).toBe('rgb(194, 26, 32)');
  await expect.poll(() => row.innerText()).toContain(words.state);
  return (await row.getAttribute('data-alarm')) ?? '';
}

const row = (page: Page, alarm: string) => page.locator(`.alarm-row[data-alarm="${alarm}"]`);

async function logInAtPlant(page: Page): Promise<void> {
  await page.locator('dialog[open]').getByRole('button', { name: '王伟' }).click();
  await page.locator('dialog[open] input[type="password"]').fill('2468');
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
}

/** A call that is refused for want of a log-in is told by the browser in its own words. */
const told = (screen: Screen): string[] => screen.complaints.filter((complaint) => !complaint.includes('401'));

describe('at the plant, in Chinese', () => {
  test('a leak appears as an urgent alarm, is acknowledged with a note, clears, is reset and is gone', async () => {
    const site = 'tank-farm';
    const plant = await at(PLANTS.get(site) ?? '', '/alarms', 'zh');
    const city = await cityAt('/alarms', 'zh', 'admin');
    const end = await begin('leak', site);
    const alarm = await looksUrgent(plant.page, { priority: '紧急', state: '未确认' });
    await picture(plant.page, 'story-zh-plant-alarm');
    expect(await faults(plant.page)).toEqual([]);
    await looksUrgent(city.page, { priority: '紧急', state: '未确认' });
    await picture(city.page, 'story-zh-city-alarm');

    await row(plant.page, alarm).getByRole('button', { name: '确认' }).click();
    await row(plant.page, alarm).getByRole('textbox').fill('已撤离，正在关阀');
    await plant.page.keyboard.press('Enter');
    await logInAtPlant(plant.page);
    await plant.page.locator(`.alarm-row[data-alarm="${alarm}"]:is([data-state="ACKED"], [data-state="LATCH-ACK"])`).waitFor();
    await city.page.locator(`.alarm-row[data-alarm="${alarm}"]:is([data-state="ACKED"], [data-state="LATCH-ACK"])`).waitFor();

    await end();
    await plant.page.locator(`.alarm-row[data-alarm="${alarm}"][data-state="LATCH-ACK"]`).waitFor(SLOW);
    await row(plant.page, alarm).click();
    await plant.page.locator('.alarm-details .readout').waitFor();
    await picture(plant.page, 'story-zh-plant-details');
    await plant.page.locator('.alarm-details').getByRole('button', { name: '复位' }).click();
    await row(plant.page, alarm).waitFor({ state: 'detached' });
    await row(city.page, alarm).waitFor({ state: 'detached' });
    expect([told(plant), told(city)]).toEqual([[], []]);
    await plant.close();
    await city.close();
  });
});

describe('in the city, in English', () => {
  test('a leak appears as an urgent alarm, an acknowledgement travels to the gateway and comes back, and the record holds it', async () => {
    const site = 'solvent-warehouse';
    const plant = await at(PLANTS.get(site) ?? '', '/alarms', 'en');
    const city = await cityAt('/alarms', 'en', 'admin');
    const end = await begin('leak', site);
    const alarm = await looksUrgent(city.page, { priority: 'Urgent', state: 'Unacknowledged' });
    await looksUrgent(plant.page, { priority: 'Urgent', state: 'Unacknowledged' });
    await picture(city.page, 'story-en-city-alarm');
    expect(await faults(city.page)).toEqual([]);

    await row(city.page, alarm).getByRole('button', { name: 'Acknowledge' }).click();
    await row(city.page, alarm).getByRole('textbox').fill('Evacuated, closing the valve');
    await city.page.keyboard.press('Enter');
    await plant.page.locator(`.alarm-row[data-alarm="${alarm}"]:is([data-state="ACKED"], [data-state="LATCH-ACK"])`).waitFor();
    await city.page.locator(`.alarm-row[data-alarm="${alarm}"]:is([data-state="ACKED"], [data-state="LATCH-ACK"])`).waitFor();
    await end();
    await plant.page.locator(`.alarm-row[data-alarm="${alarm}"][data-state="LATCH-ACK"]`).waitFor(SLOW);
    await picture(plant.page, 'story-en-plant-latched');

    await city.page.goto(`${CITY}/record?site=${site}`);
    await city.page.getByText(alarm).first().waitFor();
    await picture(city.page, 'story-en-city-record');
    expect(await faults(city.page)).toEqual([]);
    expect([told(plant), told(city)]).toEqual([[], []]);
    await plant.close();
    await city.close();
  });
});
