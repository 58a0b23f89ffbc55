/** A real Chromium for the tests: pages that gather what the console said, and pictures where the caller wants them. */

import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** Without it a browser waits for a touch before it sounds; a wall display is set up so. */
const SOUND = '--autoplay-policy=no-user-gesture-required';
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

export const launch = (sound = SOUND): Promise<Browser> => chromium.launch({ executablePath: EXECUTABLE, args: [...ARGUMENTS, sound] });

export interface Look {
  language?: 'zh' | 'en';
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
  /** A finger instead of a mouse. */
  touch?: boolean;
  /** What comes before the first load, such as a log-in. */
  before?: (context: BrowserContext) => Promise<unknown>;
  /** What the page shows once it stands; the frame where nothing else is said. */
  stands?: string;
}

export const DESKTOP = { width: 1366, height: 768 };
export const WALL = { width: 1920, height: 1080 };
export const PHONE = { width: 390, height: 844, touch: true };

export interface Screen {
  page: Page;
  /** Errors and warnings of the console, and requests to anywhere but the fixture. */
  complaints: string[];
  close: () => Promise<void>;
}

/** What a machine that builds and tests beside it may take to show what it shows at once otherwise. */
const PATIENCE_MS = 60_000;

/** A page at an address of a face, in a browser profile of its own. */
export async function open(browser: Browser, base: string, path: string, look: Look = {}): Promise<Screen> {
  const { language = 'zh', theme = 'light', width = DESKTOP.width, height = DESKTOP.height, touch = false, before, stands = '.frame' } = look;
  const context = await browser.newContext({ viewport: { width, height }, hasTouch: touch, isMobile: touch, locale: language === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'America/New_York' });
  await context.addInitScript(
    ([spoken, shown]) => {
      if (localStorage.getItem('davy.language') === null) localStorage.setItem('davy.language', spoken ?? 'zh');
      if (localStorage.getItem('davy.theme') === null) localStorage.setItem('davy.theme', shown ?? 'light');
    },
    [language, theme],
  );
  await before?.(context);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => !request.url().startsWith(base) && !request.url().startsWith('data:') && complaints.push(`left the machine: ${request.url()}`));
  await page.goto(base + path);
  await page.locator(stands).waitFor();
  return { page, complaints, close: () => context.close() };
}

const folder = process.env['DAVY_ARTIFACTS'] ?? mkdtempSync(join(tmpdir(), 'davy-screens-'));

/** Keeps a picture of the page. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Serious and critical faults that axe finds on the page as it stands. */
export async function faults(page: Page): Promise<string[]> {
  // The page's own policy forbids foreign scripts; what the debugger evaluates is not bound by it.
  await page.evaluate(AXE);
  const found = await page.evaluate(() => (window as unknown as { axe: Axe }).axe.run());
  return found.violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .flatMap((violation) => violation.nodes.slice(0, 3).map((node) => `${violation.id}: ${node.html.slice(0, 160)} — ${node.failureSummary.slice(0, 300)}`));
}

interface Axe {
  run: () => Promise<{ violations: { impact: string; id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
}
const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
