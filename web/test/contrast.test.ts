import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LINES_MAX } from '../src/trend/columns';

const css = readFileSync(new URL('../src/theme/tokens.css', import.meta.url), 'utf8');
const THEMES = { light: tokens(css.slice(css.indexOf(':root {'))), dark: { ...tokens(css.slice(css.indexOf(':root {'))), ...tokens(css.slice(css.indexOf('[data-theme="dark"]'))) } };
const TEXT = ['text', 'muted', 'p1', 'p2', 'p3', 'p4', 'fault', 'focus'];
const TRENDS = Array.from({ length: LINES_MAX }, (_, place) => `trend-${place + 1}`);
const GRAPHICS = ['line', 'p1-fill', 'p2-edge', 'p3-edge', 'p4-fill', 'fault', ...TRENDS];
/** Apart in OKLab, where about 0.02 is what an eye just tells. */
const APART = 0.07;

test.each(Object.entries(THEMES))('in the %s theme text reaches 4.5:1 and graphics 3:1 on ground and surface, and text on what is sunken or hovered', (_name, theme) => {
  for (const back of ['ground', 'surface']) {
    for (const fore of TEXT) expect(contrast(theme, fore, back), `${fore} on ${back}`).toBeGreaterThanOrEqual(4.5);
    for (const fore of GRAPHICS) expect(contrast(theme, fore, back), `${fore} on ${back}`).toBeGreaterThanOrEqual(3);
  }
  for (const fore of TEXT) expect(contrast(theme, fore, 'sunken'), `${fore} on sunken`).toBeGreaterThanOrEqual(4.5);
  for (const fore of ['text', 'muted', 'p1']) expect(contrast(theme, fore, 'p1-wash'), `${fore} on the wash of P1`).toBeGreaterThanOrEqual(4.5);
});

test.each(Object.entries(THEMES))('in the %s theme the lines of a trend are told from each other and from alarms', (_name, theme) => {
  for (const [place, one] of TRENDS.entries()) {
    for (const other of TRENDS.slice(place + 1)) expect(distance(theme[one], theme[other]), `${one} and ${other}`).toBeGreaterThanOrEqual(APART);
    for (const alarm of ['p1', 'p2', 'p3']) expect(distance(theme[one], theme[alarm]), `${one} and ${alarm}`).toBeGreaterThanOrEqual(APART);
  }
});

function tokens(block: string): Record<string, string> {
  const inside = block.slice(block.indexOf('{') + 1, block.indexOf('}'));
  return Object.fromEntries([...inside.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

function contrast(theme: Record<string, string>, fore: string, back: string): number {
  const [a, b] = [luminance(theme[fore] ?? ''), luminance(theme[back] ?? '')];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(hex: string): number {
  const [red, green, blue] = linear(hex);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(hex: string): [number, number, number] {
  const part = (at: number): number => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function distance(one: string | undefined, other: string | undefined): number {
  const [a, b] = [oklab(one ?? ''), oklab(other ?? '')];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** Björn Ottosson's OKLab of an sRGB colour. */
function oklab(hex: string): [number, number, number] {
  const [red, green, blue] = linear(hex);
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}
