/** The guided proof of a loop and of an output on the plant's pages, in a real browser. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { servePlant, type PlantFixture } from '../fixture/plant/server';
import { DESKTOP, faults, launch, open, PHONE, picture, type Look, type Screen } from './screen';

let browser: Browser;
let plant: PlantFixture;
let screen: Screen;
beforeAll(async () => void (browser = await launch()));
afterAll(() => browser.close());
beforeEach(async () => void (plant = await servePlant()));
afterEach(async () => {
  await screen.close();
  await plant.close();
});

/** As somebody of maintenance, or as nobody. */
async function at(path: string, look: Look = {}, person: string | null = 'li'): Promise<Page> {
  const logIn: Look = person === null ? {} : { before: (context) => context.request.post(`${plant.url}/api/session`, { data: { person, pin: person === 'li' ? '1357' : '2468' } }) };
  screen = await open(browser, plant.url, path, { ...look, ...logIn });
  await screen.page.locator('.frame[data-feed="live"]').waitFor();
  return screen.page;
}

const LOOP = '/commissioning/proof?of=points&id=GT-101';
const OUTPUT = '/commissioning/proof?of=outputs&id=FAN-1';
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const present = (page: Page) => page.locator('.proof-step[aria-expanded="true"]');
const step = (page: Page, number: number) => page.locator('.proof-steps > li').nth(number);
/** Applies a value and waits until the page shows that it stands still. */
async function applied(page: Page, value: number): Promise<void> {
  plant.process.apply('GT-101', value);
  await page.locator('[data-still="true"] b').getByText(value.toFixed(1), { exact: true }).waitFor();
}
const planned = async (page: Page): Promise<number> => Number(await page.locator('.proof-figures b').first().innerText());
async function take(page: Page, number: number, value: number): Promise<void> {
  await applied(page, value);
  await button(page, '取值').click();
  await step(page, number).locator('.proof-good, .proof-bad').first().waitFor();
}

test('what is overdue, failed or changed stands in the list with its word; what is settled is one press away', async () => {
  const page = await at('/commissioning/proof', {}, null);
  const line = (id: string) => page.locator(`.proof-line[data-subject="${id}"]`);
  await line('GT-102').waitFor();
  await expect.poll(() => line('GT-102').innerText()).toMatch(/逾期[\s\S]*试验到期 立即/);
  await expect.poll(() => line('GT-101').innerText()).toContain('未试验');
  await expect.poll(() => line('AT-301').innerText()).toContain('不合格');
  await expect.poll(() => line('OT-302').innerText()).toContain('试验后有变更');
  await expect.poll(() => line('GT-201').count()).toBe(0);
  await expect.poll(() => line('XS-401').count()).toBe(0);
  await page.getByRole('button', { name: /^全部 19$/ }).click();
  await expect.poll(() => line('GT-201').innerText()).toMatch(/合格[\s\S]*试验到期 2\d{3}-/);
  await line('XS-401').click();
  await expect.poll(() => page.locator('.facts').innerText()).toContain('除尘线停产');
  expect(screen.complaints).toEqual([]);
});

test('a loop passes step by step: what to apply, what is seen, and each alarm that must be on', async () => {
  const page = await at(LOOP);
  await page.getByLabel('气体与钢瓶，或信号源').fill('CH₄ 2.5 %VOL');
  await button(page, '开始').click();
  await present(page).waitFor();
  await expect.poll(() => page.locator('.proof-step').count()).toBe(5);
  await expect.poll(() => page.locator('.proof-figures').innerText()).toContain('4.00 mA');
  await expect.poll(() => button(page, '取值').isDisabled(), { message: 'nothing is taken while it moves' }).toBe(true);
  await page.getByText('数值仍在变化…').waitFor();
  await take(page, 0, await planned(page));
  await applied(page, await planned(page));
  await page.getByText('当前报警：GT-101.H', { exact: true }).waitFor();
  await take(page, 1, 29);
  for (const number of [2, 3, 4]) await take(page, number, await planned(page));
  await expect.poll(() => page.locator('.proof-good').count()).toBe(5);
  await button(page, '结束并记录').click();
  await expect.poll(() => page.locator('.proof-verdict').innerText()).toBe('合格。');
  await expect.poll(() => page.locator('.proof-mark').innerText()).toBe('合格');
  await expect.poll(() => page.locator('.facts').innerText()).toContain('李建国');
  expect(screen.complaints).toEqual([]);
});

test('a value that is off and an alarm that is missing fail the step by name; adjusted, both figures stay and the one as left counts', async () => {
  const page = await at(LOOP);
  await button(page, '开始').click();
  await take(page, 0, 12);
  await step(page, 0).locator('.proof-bad').waitFor();
  await take(page, 1, 20);
  await step(page, 1).locator('.proof-step').click();
  await page.getByText('应报未报：GT-101.H', { exact: true }).waitFor();
  await step(page, 0).locator('.proof-step').click();
  await applied(page, 0);
  await button(page, '已调整：取调后值').click();
  await step(page, 0).locator('.proof-good').waitFor();
  await expect.poll(() => step(page, 0).innerText()).toMatch(/调前 12\.0[\s\S]*调后 0\.0/);
  await button(page, '结束并记录').click();
  const dialog = page.locator('dialog[open]');
  await expect.poll(() => dialog.innerText()).toContain('还有 3 步未做');
  await dialog.getByRole('textbox').fill('标准气用完');
  await dialog.locator('button[type="submit"]').click();
  await page.locator('[data-verdict="fail"]').waitFor();
  await expect.poll(() => page.locator('.proof-mark').innerText()).toBe('不合格');
});

test('a reload in the middle goes on where it was, and an abandoned test concludes nothing', async () => {
  const page = await at(LOOP);
  await button(page, '开始').click();
  await take(page, 0, 0);
  await take(page, 1, 29);
  await page.reload();
  await present(page).waitFor();
  await expect.poll(() => page.locator('.proof-good').count()).toBe(2);
  await expect.poll(() => step(page, 2).locator('.proof-step').getAttribute('aria-expanded')).toBe('true');
  await expect.poll(() => page.locator('.proof-mark').innerText()).toContain('进行中');
  await button(page, '中止试验').click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByRole('textbox').fill('下雨');
  await dialog.locator('button[type="submit"]').click();
  await page.locator('[data-verdict="abandoned"]').waitFor();
  await expect.poll(() => page.locator('.proof-mark').innerText()).toBe('未试验');
});

test('a loop is worked by keyboard alone', async () => {
  const page = await at(LOOP);
  await button(page, '开始').focus();
  await page.keyboard.press('Enter');
  await present(page).waitFor();
  await applied(page, 0);
  await button(page, '取值').focus();
  await page.keyboard.press('Enter');
  await step(page, 0).locator('.proof-good').waitFor();
  await button(page, '跳过此步').focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog[open] textarea').waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
  await page.keyboard.type('no gas of 25 %');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('today');
  await page.keyboard.press('Enter');
  await step(page, 1).getByText(/已跳过：no gas of 25 %\s+today/).waitFor();
});

test('an output works after it is confirmed, and its feedback is timed', async () => {
  const page = await at(OUTPUT);
  await page.getByLabel('动作时长，秒（1 到 60）').fill('61');
  await expect.poll(() => button(page, '启动输出').isDisabled()).toBe(true);
  await page.getByLabel('动作时长，秒（1 到 60）').fill('1');
  await button(page, '启动输出').click();
  const dialog = page.locator('dialog[open]');
  await expect.poll(() => dialog.innerText()).toContain('一号罐风机 将真实动作 1 秒');
  await expect.poll(() => plant.process.outputs.get('FAN-1')?.demand).toBe(false);
  await dialog.getByRole('button', { name: '启动输出' }).click();
  await page.getByText('输出正在动作…').waitFor();
  await expect.poll(() => button(page, '结束并记录').isDisabled()).toBe(true);
  await page.reload();
  await page.getByText('输出正在动作…').waitFor({ state: 'detached' });
  await button(page, '结束并记录').click();
  await expect.poll(() => page.locator('.proof-verdict').innerText()).toBe('合格。');
});

test('an output whose feedback never comes fails, and says what was not seen', async () => {
  const page = await at('/commissioning/proof?of=outputs&id=VLV-1');
  await page.getByLabel('动作时长，秒（1 到 60）').fill('1');
  await button(page, '启动输出').click();
  await page.locator('dialog[open]').getByRole('button', { name: '启动输出' }).click();
  await page.getByText('未见到').first().waitFor();
  await page.getByText('输出正在动作…').waitFor({ state: 'detached' });
  await button(page, '结束并记录').click();
  await page.locator('[data-verdict="fail"]').waitFor();
});

test('an operator is refused in words of the page’s language, and nobody at all is asked for a PIN first', async () => {
  const page = await at(LOOP, { language: 'en' }, 'wang');
  await button(page, 'Begin').click();
  await page.getByText('You may not do that.').or(page.getByText('You are not allowed', { exact: false })).first().waitFor();
  await expect.poll(() => page.locator('.proof-step').count()).toBe(0);
});

test('the wizard’s fields are shut until somebody of maintenance is logged in', async () => {
  const page = await at('/commissioning?step=site', PHONE, null);
  await page.locator('[data-shut]').waitFor();
  const fields = page.locator('.step input');
  await expect.poll(() => fields.count()).toBeGreaterThan(3);
  for (const field of await fields.all()) await expect.poll(() => field.isDisabled()).toBe(true);
  await page.locator('[data-shut] .button').click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByRole('button', { name: '李建国' }).click();
  await dialog.locator('input[type="password"]').fill('1357');
  await page.keyboard.press('Enter');
  await page.locator('[data-shut]').waitFor({ state: 'detached' });
  await expect.poll(() => fields.first().isEnabled()).toBe(true);
});

const LOOKS: Record<string, Look> = {
  'zh-light': DESKTOP,
  'en-dark': { ...DESKTOP, language: 'en', theme: 'dark' },
  'zh-dark-phone': { ...PHONE, theme: 'dark' },
  'en-light-phone': { ...PHONE, language: 'en' },
};
const overflow = (page: Page): Promise<number> => page.locator('.stage').evaluate((stage) => stage.scrollWidth - stage.clientWidth);

describe.each(Object.entries(LOOKS))('seen as %s', (name, look) => {
  async function whole(page: Page, what: string): Promise<void> {
    await picture(page, `plant-${what}-${name}`);
    expect(await overflow(page), what).toBeLessThanOrEqual(0);
    expect(await faults(page), what).toEqual([]);
  }

  test('the pages of proofs are whole and free of serious faults', async () => {
    const page = await at('/commissioning/proof', look);
    await page.locator('.proof-line').first().waitFor();
    await whole(page, 'proof-list');
    await page.goto(plant.url + LOOP);
    await page.locator('.facts').waitFor();
    await whole(page, 'proof-start');
    await page.locator('.commissioning .button.main').click();
    await present(page).waitFor();
    await applied(page, 12);
    await page.locator('.proof-body .button.main').click();
    await step(page, 0).locator('.proof-bad').waitFor();
    await applied(page, 29);
    await whole(page, 'proof-step');
    await step(page, 0).locator('.proof-step').click();
    await whole(page, 'proof-wrong');
    await page.goto(plant.url + OUTPUT);
    await page.locator('.button.danger').click();
    await page.locator('dialog[open]').waitFor();
    await whole(page, 'proof-output');
    await page.goto(`${plant.url}/commissioning/report`);
    await page.locator('.commissioning .button.main').click();
    await page.locator('[data-report]').waitFor();
    await whole(page, 'proof-report');
    expect(screen.complaints).toEqual([]);
  });

  test('every step and tab of commissioning is whole and free of serious faults', async () => {
    const page = await at('/commissioning', look);
    for (const name of ['site', 'scan', 'points', 'limits', 'outputs', 'prove', 'arm', 'report']) {
      await page.goto(`${plant.url}/commissioning?step=${name}`);
      await page.locator(`.step[data-step="${name}"]`).waitFor();
      await whole(page, `wizard-${name}`);
    }
    await page.goto(`${plant.url}/commissioning/probe`);
    await page.locator('.commissioning .form').waitFor();
    await whole(page, 'probe');
  });
});
