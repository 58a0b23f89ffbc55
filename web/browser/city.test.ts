/** What people of a city do, in a real browser on the built face. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { serveCity, type CityFixture } from '../fixture/city/server';
import { PASSWORD } from '../fixture/city/sites';
import { enter } from './city';
import { launch, PHONE, type Look, type Screen } from './screen';

let browser: Browser;
let city: CityFixture;
let screen: Screen;

beforeAll(async () => void (browser = await launch()));
afterAll(() => browser.close());
beforeEach(async () => void (city = await serveCity()));
afterEach(async () => {
  await screen.close();
  await city.close();
});

async function at(user: string | null, path: string, look: Look = {}): Promise<Page> {
  screen = await enter(browser, city, user, path, look);
  if (user) await screen.page.locator('.frame[data-feed="live"]').waitFor();
  return screen.page;
}

const row = (page: Page, key: string) => page.locator(`.alarm-row[data-key="${key}"]`);
const go = (page: Page, path: string) => page.evaluate((to) => (history.pushState(null, '', to), dispatchEvent(new PopStateEvent('popstate'))), path);

test('a wrong password is told, the right one leads to the page of the address, and leaving ends it', async () => {
  const page = await at(null, '/alarms?kind=1');
  await page.getByLabel('用户').fill('sun');
  await page.getByLabel('密码').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('用户或密码不对。').waitFor();
  await page.getByLabel('密码').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.alarm-place').waitFor();
  await expect.poll(() => page.url()).toContain('/alarms?kind=1');
  await page.getByRole('button', { name: '退出' }).click();
  await page.getByText('您已退出。').waitFor();
});

test('too many tries are told as such', async () => {
  const page = await at(null, '/');
  await page.getByLabel('用户').fill('sun');
  for (let count = 0; count < 6; count++) {
    await page.getByLabel('密码').fill('wrong');
    const answered = page.waitForResponse('**/api/session');
    await page.keyboard.press('Enter');
    await answered;
    await page.waitForFunction(() => (document.querySelector('input[type="password"]') as HTMLInputElement).value === '');
  }
  await page.getByText('尝试次数过多').waitFor();
});

test('a session that ends shows the gate with its reason, and nothing of what was seen', async () => {
  const page = await at('sun', '/');
  await page.locator('[data-site="tank-farm"]').waitFor();
  city.endSessions();
  await page.getByText('登录已到期或被收回').waitFor({ timeout: 25_000 });
  await expect.poll(() => page.locator('[data-site]').count()).toBe(0);
});

test('an acknowledgement travels: pending in the row, then the state that the gateway made of it', async () => {
  city.county.mixed();
  city.county.answer_ms = 1_500;
  const page = await at('sun', '/alarms');
  const feed = row(page, 'feed-mill/DP-402.H');
  await feed.getByRole('button', { name: '确认' }).click();
  await feed.getByText('确认已发往现场…').waitFor();
  await expect.poll(() => feed.getAttribute('data-state')).toBe('UNACK');
  await page.locator('.alarm-row[data-key="feed-mill/DP-402.H"][data-state="ACKED"]').waitFor();
  await expect.poll(() => feed.innerText()).toContain('孙铭');
  expect(screen.complaints).toEqual([]);
});

test('a P1 asks for a note before it is sent, and the note arrives', async () => {
  city.county.one();
  const page = await at('sun', '/alarms');
  const leak = row(page, 'tank-farm/GT-101.HH');
  await leak.getByRole('button', { name: '确认' }).click();
  await leak.getByRole('textbox').fill('已通知现场撤离');
  await page.keyboard.press('Enter');
  await page.locator('.alarm-row[data-key="tank-farm/GT-101.HH"][data-state="ACKED"]').waitFor();
  expect(city.county.alarms.get('tank-farm/GT-101.HH')?.reason).toBe('已通知现场撤离');
});

test('an answer that comes late leaves the note that another row asks for', async () => {
  city.county.mixed();
  city.county.answer_ms = 3_000;
  const page = await at('sun', '/alarms');
  await row(page, 'feed-mill/DP-402.H').getByRole('button', { name: '确认' }).click();
  await row(page, 'tank-farm/GT-101.HH').getByRole('button', { name: '确认' }).click();
  await row(page, 'tank-farm/GT-101.HH').getByRole('textbox').fill('正在');
  await page.locator('.alarm-row[data-key="feed-mill/DP-402.H"][data-state="ACKED"]').waitFor();
  await expect.poll(() => row(page, 'tank-farm/GT-101.HH').getByRole('textbox').inputValue()).toBe('正在');
});

test('a refusal of the gateway is shown in words in the row, and so is its silence', async () => {
  city.county.mixed();
  const page = await at('sun', '/alarms');
  await row(page, 'cold-store/AT-301.H').getByRole('button', { name: '确认' }).click();
  await row(page, 'cold-store/AT-301.H').getByText('此报警又一次发生').waitFor();
  await row(page, 'ice-plant/PT-303.H').getByRole('button', { name: '确认' }).click();
  await row(page, 'ice-plant/PT-303.H').getByText('现场网关没有及时应答').waitFor();
});

test('an order for a site that is away is refused at once, and says whom to turn to', async () => {
  city.county.raise('brewery', 'GT-201', 'H', 2, 30);
  city.county.link('brewery', 'down', 60_000);
  const page = await at('sun', '/alarms');
  await row(page, 'brewery/GT-201.H').getByRole('button', { name: '确认' }).click();
  await row(page, 'brewery/GT-201.H').getByText('企业当前离线').waitFor();
});

test('in a flood the listed alarms of one unit are acknowledged together, and never a P1', async () => {
  city.county.flood(200);
  city.county.answer_ms = 20;
  const page = await at('sun', '/alarms');
  await page.locator('.alarm-row').first().waitFor();
  await expect.poll(() => page.getByRole('button', { name: /确认所列/ }).count()).toBe(0);
  await go(page, '/alarms?site=sewage');
  await page.getByRole('button', { name: /确认所列/ }).click();
  await page.locator('dialog[open] button[type="submit"]').click();
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  const waiting = [...city.county.alarms.values()].filter((alarm) => alarm.site === 'sewage' && alarm.state === 'UNACK');
  expect(waiting.map((alarm) => alarm.priority)).toEqual([1]);
});

test('shelving a P1 takes minutes, a reason and a second person who is another', async () => {
  city.county.one();
  const page = await at('sun', '/alarms?open=tank-farm/GT-101.HH');
  await page.locator('.alarm-details').getByRole('button', { name: '搁置' }).click();
  const dialog = page.locator('dialog[open]');
  const send = dialog.getByRole('button', { name: '搁置' });
  await dialog.getByRole('button', { name: '1 小时' }).click();
  await dialog.getByRole('textbox', { name: '原因' }).fill('探头校准');
  await expect.poll(() => send.isDisabled()).toBe(true);
  await dialog.getByRole('textbox', { name: '第二人' }).fill('sun');
  await dialog.getByLabel('密码').fill(PASSWORD);
  await send.click();
  await dialog.getByText('须由另一人同意').waitFor();
  await dialog.getByRole('textbox', { name: '第二人' }).fill('zhou');
  await dialog.getByLabel('密码').fill(PASSWORD);
  await send.click();
  await page.locator('.alarm-row[data-key="tank-farm/GT-101.HH"][data-state="SHLVD"]').waitFor();
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
});

test('a regulator sees the sites of its town alone, and is offered no act', async () => {
  city.county.mixed();
  const page = await at('town', '/');
  await page.locator('[data-site="alu-polish"]').waitFor();
  await expect.poll(() => page.locator('[data-site]').count()).toBe(4);
  await go(page, '/alarms');
  await row(page, 'alu-polish/XS-401.ON').click();
  await page.locator('.alarm-details .readout').waitFor();
  await expect.poll(() => page.getByRole('button', { name: '确认', exact: true }).count()).toBe(0);
  await expect.poll(() => page.getByRole('button', { name: '搁置' }).count()).toBe(0);
  await expect.poll(() => page.getByRole('link', { name: '管理' }).count()).toBe(0);
});

test('a page and a site that are not for this person say so, instead of an empty screen', async () => {
  const page = await at('town', '/administration');
  await page.getByText('您无权查看此页').waitFor();
  await go(page, '/site/tank-farm');
  await page.getByText('您无权查看此页').waitFor();
  await go(page, '/nonsense');
  await page.getByText('没有此页').waitFor();
});

test('a stream that falls silent raises the banner, greys the values, and calls no site normal', async () => {
  const page = await at('sun', '/');
  await page.locator('[data-site="tank-farm"]').getByText('正常', { exact: true }).first().waitFor();
  city.freeze(true);
  await page.locator('.banner').waitFor({ timeout: 8_000 });
  await page.locator('[data-site="tank-farm"]').getByText('不明').first().waitFor();
  city.freeze(false);
  await page.locator('.banner').waitFor({ state: 'detached', timeout: 15_000 });
  await page.locator('[data-site="tank-farm"]').getByText('不明').first().waitFor({ state: 'detached' });
});

test('a cloud that is away keeps the page and its banner, and is found again', async () => {
  const page = await at('sun', '/');
  city.away(true);
  await page.locator('.banner').waitFor({ timeout: 8_000 });
  city.away(false);
  await page.locator('.frame[data-feed="live"]').waitFor({ timeout: 25_000 });
});

test('a site that is lost goes up in the order and says that its state is unknown', async () => {
  const page = await at('sun', '/');
  await page.locator('[data-site="brewery"]').waitFor();
  city.county.link('brewery', 'down', 5_400_000);
  await page.locator('.site-row[data-site]').first().getByText('断开：情况不明').waitFor();
  await expect.poll(() => page.locator('.site-row[data-site]').first().getAttribute('data-site')).toBe('brewery');
});

test('the situation is worked by keyboard, and its state is its address', async () => {
  city.county.mixed();
  const page = await at('sun', '/');
  await page.locator('[data-site="tank-farm"][data-wrong="urgent"]').waitFor();
  await page.getByRole('button', { name: '按风险等级' }).click();
  await page.getByRole('button', { name: '按乡镇' }).click();
  await page.keyboard.press('/');
  await page.keyboard.type('北港');
  await page.keyboard.press('Escape');
  await expect.poll(() => decodeURIComponent(page.url())).toContain('?order=risk&view=grid&q=北港');
  await page.reload();
  await page.locator('.tile').first().waitFor();
  await expect.poll(() => page.locator('.tile').count()).toBe(3);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/site\/tank-farm/);
});

test('the site page follows its values as they come', async () => {
  const page = await at('sun', '/site/tank-farm');
  const value = page.locator('[data-point="GT-101"] .figure');
  await value.waitFor();
  city.county.one();
  await page.waitForFunction(() => Number(document.querySelector('[data-point="GT-101"] .figure')?.textContent) > 60);
  await page.getByRole('link', { name: '138 0000 1234' }).waitFor();
  await page.getByRole('button', { name: '因果联锁' }).click();
  await page.locator('tr[data-lit]').waitFor();
  await expect.poll(() => page.url()).toContain('part=effects');
});

test('a question to the record is its address; it is answered with gaps in place, page by page, and the export asks the same', async () => {
  const page = await at('county', '/record?days=30');
  await page.locator('.occurrence').first().waitFor();
  const total = Number(/\d+/.exec(await page.locator('.answer h2').innerText())?.[0]);
  await expect.poll(() => page.locator('.occurrence').count()).toBe(100);
  await expect.poll(() => page.locator('.gap-row').first().innerText()).toContain('仍在持续');
  await page.getByRole('button', { name: /再看 100 条/ }).click();
  await page.waitForFunction(() => document.querySelectorAll('.occurrence').length === 200);
  await page.getByRole('button', { name: '60 秒内未确认' }).click();
  await page.waitForURL(/over=60/);
  await page.waitForFunction((before) => Number(/\d+/.exec(document.querySelector('.answer h2')?.textContent ?? '')?.[0]) < before, total);
  const csv = await page.getByRole('link', { name: 'CSV', exact: true }).getAttribute('href');
  expect(csv).toMatch(/unacknowledged_over_s=60.*zone=%2B08%3A00.*lang=zh/);
  const answer = await page.request.get(city.url + csv);
  expect(answer.headers()['content-disposition']).toContain('davy-alarms.csv');
  await page.locator('.occurrence').nth(2).click();
  await page.locator('.alarm-details .history li').first().waitFor();
  await expect.poll(() => page.url()).toContain('open=');
  await page.reload();
  await page.locator('.alarm-details .history li').first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.alarm-details').waitFor({ state: 'detached' });
});

test.each(['zh', 'en'] as const)('a question of the regulator is chosen, narrowed, answered page by page, and its files ask the same (%s)', async (language) => {
  const zh = language === 'zh';
  const page = await at('county', '/record', { language });
  await page.getByLabel(zh ? '查询问题' : 'Which question').selectOption('timeline');
  await page.getByText(zh ? '该问题针对单个企业。' : 'This question is about one site.').waitFor();
  await page.locator('.question select').first().selectOption('tank-farm');
  await page.locator('tr[data-row]').first().waitFor();
  await expect.poll(() => page.locator('tr[data-row]').count()).toBe(3);
  await expect.poll(() => page.locator('tr[data-row]').nth(2).innerText()).toContain(zh ? '站点文件' : 'Site file changed');
  await page.getByRole('button', { name: zh ? '再看' : 'More' }).click();
  await page.waitForFunction(() => document.querySelectorAll('tr[data-row]').length === 4);
  await expect.poll(() => page.url()).toMatch(/ask=timeline.*site=tank-farm|site=tank-farm.*ask=timeline/);
  for (const [name, format] of [['CSV', 'csv'], ['XLSX', 'xlsx'], ['Parquet', 'parquet']] as const) {
    const link = await page.getByRole('link', { name, exact: true }).getAttribute('href');
    expect(link).toMatch(new RegExp(`^/api/export/timeline\\?site=tank-farm.*zone=%2B08%3A00&format=${format}&lang=${language}$`));
    const file = await page.request.get(city.url + link);
    expect(file.headers()['content-disposition']).toContain(`davy-timeline.${format}`);
  }
  const link = await page.getByRole('link', { name: zh ? '案卷' : 'Case file' }).getAttribute('href');
  expect(link).toMatch(/^\/api\/sites\/tank-farm\/case\?from_ms=\d+&to_ms=\d+&zone=%2B08%3A00&lang=/);
  await page.reload();
  await page.locator('tr[data-row]').first().waitFor();
});

test.each(['zh', 'en'] as const)('who did it and why stands on a small screen without scrolling (%s)', async (language) => {
  for (const path of ['/record?ask=acts', '/record?ask=acts&site=tank-farm', '/record?ask=timeline&site=tank-farm']) {
    const page = await at('county', path, { language });
    const reason = page.locator('tr[data-row]').first().getByText('已派人核查');
    await reason.waitFor();
    const { width } = page.viewportSize() ?? { width: 0 };
    const box = await reason.boundingBox();
    expect(box && box.x + box.width, path).toBeLessThan(width);
    expect(await page.getByRole('columnheader', { name: language === 'zh' ? '企业' : 'Site', exact: true }).count(), path).toBe(path.includes('site=') ? 0 : 1);
  }
});

test('an administrator adds somebody, who can then log in, changes and removes them', async () => {
  const page = await at('admin', '/administration');
  await page.getByRole('button', { name: '添加人员' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel('用户').fill('new.one');
  await dialog.getByLabel('姓名').fill('新人');
  await dialog.getByLabel('密码').fill('short');
  await dialog.getByText('密码至少 8 个字符。').waitFor();
  await expect.poll(() => dialog.getByRole('button', { name: '保存' }).isDisabled()).toBe(true);
  await dialog.getByLabel('密码').fill(PASSWORD);
  await dialog.getByLabel('东湾石化储运').check();
  await dialog.getByRole('button', { name: '保存' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: '东湾石化储运', exact: true }).waitFor();
  expect((await page.request.post(`${city.url}/api/session`, { data: { user: 'new.one', password: PASSWORD } })).status()).toBe(200);
  await page.request.post(`${city.url}/api/session`, { data: { user: 'admin', password: PASSWORD } });

  await page.getByRole('button', { name: '编辑 新人' }).click();
  await dialog.getByLabel('角色').selectOption('regulator');
  await dialog.getByLabel('市 / 县').fill('东湾县');
  await dialog.getByRole('button', { name: '保存' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: '移除 新人' }).click();
  await dialog.getByText('不可撤销').waitFor();
  await dialog.getByRole('button', { name: '移除 新人' }).click();
  // The dialog's button and the row's bear one name: only once the dialog has gone does it name the row alone.
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: '移除 新人' }).waitFor({ state: 'detached' });
});

test('a change of the registry is seen in the situation without a reload', async () => {
  const page = await at('admin', '/administration?part=sites&edit=sewage');
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel('乡镇 / 街道').fill('北港镇');
  await dialog.getByRole('radio', { name: '风险·红' }).check();
  await dialog.getByRole('button', { name: '添加联系人' }).click();
  await dialog.getByPlaceholder('姓名').last().fill('赵工');
  await dialog.getByPlaceholder('电话').last().fill('139 0000 5678');
  await dialog.getByRole('button', { name: '保存' }).click();
  await dialog.waitFor({ state: 'detached' });
  await go(page, '/?town=北港镇');
  await page.locator('[data-site="sewage"]').getByText('风险·红').waitFor();
});

test('the audit log turns its pages by address', async () => {
  const page = await at('admin', '/administration?part=audit');
  await page.locator('.audit tbody tr').first().waitFor();
  const newest = () => page.locator('.audit tbody td').first().innerText();
  const first = await newest();
  await page.getByRole('button', { name: '更早一页' }).click();
  await page.waitForURL(/cursor=\d+/);
  await page.waitForFunction((before) => document.querySelector('.audit tbody td')?.textContent !== before, first);
  expect(Number(await newest())).toBe(Number(first) - 50);
  await page.goBack();
  await page.waitForFunction((before) => document.querySelector('.audit tbody td')?.textContent === before, first);
});

test('the horn of a screen sounds once it is told to, is silenced, and sounds again for a new P1', async () => {
  const page = await at('sun', '/');
  await page.getByRole('button', { name: '本屏静音' }).click();
  city.county.raise('feed-mill', 'DP-402', 'H', 3, 1_912);
  await page.getByRole('button', { name: '消音' }).waitFor();
  await page.keyboard.press('s');
  await page.getByText('已消音').waitFor();
  city.county.one();
  await page.getByRole('button', { name: '消音' }).waitFor();
});

test('on a phone every button is at least 44 px high and nothing is wider than the screen', async () => {
  city.county.mixed();
  const page = await at('admin', '/', PHONE);
  for (const path of ['/', '/?view=grid', '/alarms', '/site/tank-farm', '/trend?site=tank-farm&points=GT-101', '/record', '/record?ask=timeline&site=tank-farm', '/record?ask=ranking', '/administration', '/administration?part=sites', '/administration?part=audit']) {
    await go(page, path);
    await page.waitForFunction(() => document.querySelector('.stage')?.firstElementChild !== null && document.querySelector('.stage .skeleton') === null);
    const small = await page.locator('button:visible:not(.as-link), .places a:visible').evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML.slice(0, 120)));
    expect(small, path).toEqual([]);
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), { message: path }).toBeLessThanOrEqual(390);
  }
});

test('what is demanded of an output stands on its site, follows the stream, and cannot be changed from here', async () => {
  const page = await at('sun', '/site/tank-farm');
  const fan = page.locator('[data-output="FAN-1"]');
  await fan.getByText('未要求').waitFor();
  city.county.one();
  await fan.getByText('已要求动作').waitFor();
  await expect.poll(() => fan.locator('button').count()).toBe(0);
  city.county.link('tank-farm', 'down', 60_000);
  city.county.step();
  await fan.getByText('失联，可能已变').waitFor();
});

test('on a phone the answer of the record is in sight, and every filter one press away', async () => {
  const page = await at('county', '/record?priority=1&days=30', PHONE);
  await page.locator('.bars').waitFor();
  const urgent = page.locator('.question').getByRole('button', { name: '紧急', exact: true });
  await expect.poll(() => urgent.isVisible()).toBe(false);
  await page.locator('.stage').evaluate((stage) => stage.scrollTo(0, 2_000));
  await page.getByRole('button', { name: '查询条件（已选 2 项）' }).click();
  await urgent.waitFor();
  const beyond = await page.locator('.question button, .question input:not([tabindex="-1"]), .question select').evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().width > 2 && one.getBoundingClientRect().right > innerWidth).length);
  expect(beyond).toBe(0);
});

test.each(['zh', 'en'] as const)('with everything to say the strip is one line at 1366 px and wider (%s)', async (language) => {
  screen = await enter(browser, city, 'county', '/', { language });
  // Whether a browser blocks the sound of a page that was just loaded is a matter of its mood: here it does.
  await screen.page.addInitScript(() => {
    localStorage.setItem('davy.city-horn', 'on');
    Object.defineProperty(BaseAudioContext.prototype, 'state', { get: () => 'suspended' });
  });
  await screen.page.reload();
  city.county.mixed();
  await screen.page.locator('.strip .button.main').waitFor();
  await screen.page.locator('.strip .link-state[data-state="down"]').waitFor();
  await expect.poll(() => screen.page.locator('.strip .sound .button').count()).toBe(3);
  for (const width of [1366, 1501, 1600, 1900, 1920]) {
    await screen.page.setViewportSize({ width, height: 768 });
    await expect.poll(async () => (await screen.page.locator('.strip').boundingBox())?.height, { message: `${width}` }).toBeLessThan(60);
  }
});
