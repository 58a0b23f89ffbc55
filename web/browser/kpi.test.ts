/** Alarm figures at both faces, and the list by unit in a flood, in a real browser. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { serveCity, type CityFixture } from '../fixture/city/server';
import { servePlant, type PlantFixture } from '../fixture/plant/server';
import { enter } from './city';
import { DESKTOP, faults, launch, open, PHONE, picture, type Look, type Screen } from './screen';

let browser: Browser;
let screen: Screen;
beforeAll(async () => void (browser = await launch()));
afterAll(() => browser.close());
afterEach(() => screen.close());

const LOOKS: Record<string, Look> = {
  'zh-light': DESKTOP,
  'en-dark': { ...DESKTOP, language: 'en', theme: 'dark' },
  'zh-dark-phone': { ...PHONE, theme: 'dark' },
  'en-light-phone': { ...PHONE, language: 'en' },
};

/** No page is wider than its screen: what does not fit scrolls within itself. */
const overflow = (page: Page): Promise<number> => page.locator('.stage').evaluate((stage) => stage.scrollWidth - stage.clientWidth);

describe('at the plant', () => {
  let plant: PlantFixture;
  beforeEach(async () => void (plant = await servePlant()));
  afterEach(() => plant.close());

  async function at(path: string, look: Look = {}): Promise<Page> {
    screen = await open(browser, plant.url, path, look);
    await screen.page.locator('.frame[data-feed="live"]').waitFor();
    return screen.page;
  }

  test('every figure stands beside its target with a word for how it does, and what chatters has its proposal', async () => {
    const page = await at('/performance');
    const rate = page.locator('[data-figure="rate"]');
    await rate.waitFor();
    await expect.poll(() => rate.innerText()).toMatch(/1\.35[\s\S]*约 1，至多 2[\s\S]*尚可应对/);
    await expect.poll(() => page.locator('[data-figure="standing"] .verdict').innerText()).toBe('达标');
    await page.getByText('记录有 1.0 天', { exact: false }).or(page.getByText('有记录 1.0 天', { exact: false })).waitFor();
    await page.getByText('记录不足 30 天', { exact: false }).waitFor();
    const chatters = page.locator('[data-chatters="PT-303.H"]');
    await expect.poll(() => chatters.innerText()).toContain('死区 0.05 → 0.22 kPa');
    await expect.poll(() => chatters.innerText()).toContain('触发 84 → 6 次');
    await expect.poll(() => page.locator('[data-chatters="GT-202.BAD"]').innerText()).toContain('看不出抖动');
    await expect.poll(() => page.getByRole('rowheader', { name: '王伟' }).count()).toBe(1);
    expect(screen.complaints).toEqual([]);
  });

  test('the period stands in the address, and one that is none is not asked for', async () => {
    const page = await at('/performance');
    await page.locator('[data-figure="rate"]').waitFor();
    await page.getByRole('button', { name: '30 天' }).click();
    await page.getByText('有记录 12.0 天', { exact: false }).waitFor();
    await expect.poll(() => page.url()).toContain('days=30');
    await page.getByLabel('从', { exact: true }).fill('2030-01-01 00:00');
    await page.keyboard.press('Enter');
    await page.getByText('起止时间不成立').waitFor();
    await page.goBack();
    await page.getByText('有记录 12.0 天', { exact: false }).waitFor();
  });

  test('a gateway that does not answer says what is still true, and a retry goes on', async () => {
    const page = await at('/');
    await page.route('**/api/kpi?*', (route) => route.fulfill({ status: 503, contentType: 'application/json', body: '{"error":"not-ready","message":"","detail":null}' }));
    await page.getByRole('link', { name: '绩效' }).click();
    await page.getByText('监测和报警不受影响。').waitFor();
    await page.unroute('**/api/kpi?*');
    await page.getByRole('button', { name: '重试' }).click();
    await page.locator('[data-figure="rate"]').waitFor();
  });

  test.each([
    ['zh', DESKTOP, /^报警泛滥：10 分钟 20\d 条$/, '首出'],
    ['en', { ...DESKTOP, language: 'en' }, /^Alarm flood: 20\d in 10 min$/, 'First-out'],
    ['zh on a phone', PHONE, /^报警泛滥：10 分钟 20\d 条$/, '首出'],
    ['en on a phone', { ...PHONE, language: 'en' }, /^Alarm flood: 20\d in 10 min$/, 'First-out'],
  ] as const)('a flood is flagged in the strip and leads to the list by unit, where every P1 stands above the folded units (%s)', async (_, look, flagged, firstOut) => {
    const page = await at('/', look as Look);
    await expect.poll(() => page.locator('.flood-flag').count()).toBe(0);
    plant.process.leak();
    plant.process.flood(200);
    const flag = page.locator('.flood-flag');
    await flag.waitFor();
    await expect.poll(() => flag.innerText()).toMatch(flagged);
    await flag.click();
    await page.locator('.unit-row').first().waitFor();
    const urgent = [...plant.process.alarms.values()].filter((alarm) => alarm.priority === 1 && alarm.state !== 'NORM').map((alarm) => alarm.id);
    expect(urgent.length).toBeGreaterThan(1);
    const rows = await page.locator('.alarm-row').evaluateAll((all) => all.sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex'))).map((row) => (row as HTMLElement).dataset['alarm'] ?? `unit ${(row as HTMLElement).dataset['unit']}`));
    expect(new Set(rows.slice(0, urgent.length))).toEqual(new Set(urgent));
    expect(rows.slice(urgent.length).every((row) => row.startsWith('unit '))).toBe(true);
    await expect.poll(() => page.locator('.unit-row').first().innerText()).toContain(firstOut);
  });

  test('two screens of one plant see the same flood, each in its language, and a screen that comes later sees it at once', async () => {
    const page = await at('/');
    const other = await open(browser, plant.url, '/', { ...DESKTOP, language: 'en' });
    plant.process.flood(30);
    await page.locator('.flood-flag').getByText('报警泛滥：10 分钟 30 条', { exact: true }).waitFor();
    await other.page.locator('.flood-flag').getByText('Alarm flood: 30 in 10 min', { exact: true }).waitFor();
    const late = await open(browser, plant.url, '/alarms', { ...PHONE, language: 'en' });
    await late.page.locator('.flood-flag').getByText('Alarm flood: 30 in 10 min', { exact: true }).waitFor();
    await late.close();
    await other.close();
  });

  test('a unit unfolds with its first-out marked, by pointer and by keyboard, and the address remembers it', async () => {
    const page = await at('/alarms?group=unit');
    plant.process.flood(60);
    const unit = page.locator('.unit-row').first();
    await unit.waitFor();
    const key = (await unit.getAttribute('data-unit')) ?? '';
    const folded = await page.locator('.alarm-row').count();
    await unit.getByRole('button', { name: '展开', exact: false }).click();
    await page.waitForFunction((before) => document.querySelectorAll('.alarm-row').length > before, folded);
    await expect.poll(() => decodeURIComponent(decodeURIComponent(page.url()))).toContain(`units=${key}`);
    await page.reload();
    await page.locator('.unit-row').first().getByRole('button', { name: '收起', exact: false }).waitFor();
    await expect.poll(() => page.locator('.alarm-row .c-name .first-out').count()).toBeGreaterThan(0);
    await unit.click();
    await unit.getByRole('button', { name: '展开', exact: false }).waitFor();
    await page.keyboard.press('j');
    await page.locator('.alarm-row[aria-current="true"]').waitFor();
  });

  test('the row under the pointer stays where it is while a flood comes into the units', async () => {
    const page = await at('/alarms?group=unit');
    plant.process.flood(30);
    const unit = page.locator('.unit-row').nth(1);
    await unit.waitFor();
    await unit.hover({ position: { x: 300, y: 10 } });
    const key = await unit.getAttribute('data-key');
    const place = () => page.locator(`.alarm-row[data-key="${key}"]`).evaluate((row) => Math.round(row.getBoundingClientRect().top));
    const before = await place();
    const urgent = await page.locator('.alarm-row[data-asks="1"]').count();
    plant.process.flood(200, 30);
    await page.locator('.flood-flag').filter({ hasText: /200/ }).waitFor();
    await expect.poll(() => page.locator('.alarm-row[data-asks="1"]').count(), { message: 'P1 came above it' }).toBeGreaterThan(urgent);
    await expect.poll(() => place()).toBe(before);
  });

  test.each(Object.entries(LOOKS))('figures and units are whole and free of serious faults, seen as %s', async (name, look) => {
    const page = await at('/performance?days=30', look);
    await page.locator('.proposals').first().waitFor();
    await picture(page, `plant-kpi-${name}`);
    expect(await overflow(page)).toBe(0);
    expect(await faults(page)).toEqual([]);
    await page.locator('.stage').evaluate((stage) => stage.scrollTo(0, 900));
    await picture(page, `plant-kpi-lists-${name}`);
    plant.process.leak();
    plant.process.flood(200);
    await page.locator('.flood-flag').click();
    await page.locator('.unit-row').first().waitFor();
    await page.locator('.unit-row').first().locator('.unit-toggle').click();
    await picture(page, `plant-units-${name}`);
    expect(await faults(page)).toEqual([]);
    expect(screen.complaints).toEqual([]);
  });
});

describe('in the city', () => {
  let city: CityFixture;
  beforeEach(async () => void (city = await serveCity()));
  afterEach(() => city.close());

  async function at(user: string, path: string, look: Look = {}): Promise<Page> {
    screen = await enter(browser, city, user, path, look);
    await screen.page.locator('.frame[data-feed="live"]').waitFor();
    return screen.page;
  }

  test('the figures of a site are chosen by site and period, and its file asks for the same', async () => {
    const page = await at('county', '/performance');
    await page.getByText('绩效按企业计算。').waitFor();
    await page.getByLabel('企业', { exact: true }).selectOption('tank-farm');
    await page.locator('[data-figure="rate"]').waitFor();
    await expect.poll(() => page.url()).toContain('site=tank-farm');
    await page.getByRole('button', { name: '30 天' }).click();
    await page.getByText('有记录 30.0 天', { exact: false }).waitFor();
    await expect.poll(() => page.getByText('记录不足 30 天', { exact: false }).count()).toBe(0);
    const file = new URL((await page.getByRole('link', { name: '下载 CSV' }).getAttribute('href')) ?? '', city.url).searchParams;
    expect([file.get('site'), file.get('lang'), Number(file.get('to_ms')) - Number(file.get('from_ms'))]).toEqual(['tank-farm', 'zh', 30 * 86_400_000]);
    expect(screen.complaints).toEqual([]);
  });

  test('a site that the person may not see is refused in words', async () => {
    const page = await at('sun', '/performance?site=no-such-site');
    await page.locator('.notice[role="alert"]').waitFor();
    await expect.poll(() => page.locator('.kpi-parts').count()).toBe(0);
  });

  test('the list of all sites by unit names the site of each', async () => {
    city.county.flood(60);
    const page = await at('county', '/alarms?group=unit');
    await page.locator('.unit-row').first().waitFor();
    await expect.poll(() => page.locator('.unit-row').first().innerText()).toContain(' · ');
  });

  test.each([
    ['zh', DESKTOP, /^报警泛滥：10 分钟 2\d 条$/],
    ['en', { ...DESKTOP, language: 'en' }, /^Alarm flood: 2\d in 10 min$/],
    ['zh on a phone', PHONE, /^报警泛滥：10 分钟 2\d 条$/],
    ['en on a phone', { ...PHONE, language: 'en' }, /^Alarm flood: 2\d in 10 min$/],
  ] as const)('a site in a flood is flagged in the overview, the grid and its own page, and no longer once it is over (%s)', async (_, look, flagged) => {
    const page = await at('county', '/', look as Look);
    const flags = page.locator('.flood-flag');
    await page.locator('.site-row[data-site="tank-farm"]').waitFor();
    await expect.poll(() => flags.count()).toBe(0);
    for (let place = 0; place < 20; place++) city.county.raise('tank-farm', 'GT-101', 'H', 2, 30, null, `GT-101-${place}`);
    for (let place = 0; place < 5; place++) city.county.raise('cold-store', 'AT-301', 'H', 2, 30, null, `AT-301-${place}`);
    await page.locator('.site-row[data-site="tank-farm"] .flood-flag').waitFor();
    await expect.poll(() => flags.count(), { message: 'no other site floods' }).toBe(1);
    await expect.poll(() => flags.innerText()).toMatch(flagged);
    await page.goto(`${city.url}/?view=grid`);
    await expect.poll(() => page.locator('.tile[data-site="tank-farm"] .flood-flag').innerText()).toMatch(flagged);
    await page.goto(`${city.url}/site/tank-farm`);
    await expect.poll(() => page.locator('.site-place .flood-flag').innerText()).toMatch(flagged);
    await page.goto(city.url);
    await page.locator('.site-row[data-site="tank-farm"] .flood-flag').click();
    await page.locator('.unit-row').first().waitFor();
    await expect.poll(() => page.url()).toMatch(/site=tank-farm/);
    await page.goBack();
    await flags.first().waitFor();
    city.county.ebb();
    await flags.first().waitFor({ state: 'detached' });
    expect(screen.complaints).toEqual([]);
  });

  test.each([
    ['zh', DESKTOP, ['死区 0.05 → 0.22 kPa', '触发 84 → 6 次', '恢复延时 0 → 3 秒', '240']],
    ['en', { ...DESKTOP, language: 'en' }, ['Deadband 0.05 → 0.22 kPa', 'trips 84 → 6', 'Off-delay 0 → 3 s', '240']],
  ] as const)('what chatters stands among the figures with its numbers and the proposed deadband and delays (%s)', async (_, look, words) => {
    const page = await at('county', '/performance?site=tank-farm&days=30', look as Look);
    const row = page.locator('[data-chatters="PT-303.H"]');
    await row.waitFor();
    const said = await row.innerText();
    for (const one of words) expect(said).toContain(one);
    await expect.poll(() => row.locator('.proposals .strong').count()).toBe(3);
  });

  test.each(Object.entries(LOOKS))('the figures are whole and free of serious faults, seen as %s', async (name, look) => {
    const page = await at('county', '/performance?site=tank-farm&days=30', look);
    await page.locator('.kpi-parts').waitFor();
    await picture(page, `city-kpi-${name}`);
    expect(await overflow(page)).toBe(0);
    expect(await faults(page)).toEqual([]);
    expect(screen.complaints).toEqual([]);
  });
});
