import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('../src/theme/tokens.css', import.meta.url), 'utf8');
const THEMES = { light: tokens(css.slice(css.indexOf(':root {'))), dark: { ...tokens(css.slice(css.indexOf(':root {'))), ...tokens(css.slice(css.indexOf('[data-theme="dark"]'))) } };
const TEXT = ['text', 'muted', 'p1', 'p2', 'p3', 'p4', 'fault', 'focus'];
const GRAPHICS = ['line', 'p1-fill', 'p2-edge', 'p3-edge', 'p4-fill', 'fault', 'trend-1', 'trend-2', 'trend-3', 'trend-4', 'trend-5', 'trend-6', 'trend-7', 'trend-8'];

test.each(Object.entries(THEMES))('in the %s theme text reaches 4.5:1 and graphics 3:1 on ground and surface, and text on what is sunken or hovered', (_name, theme) => {
  for (const back of ['ground', 'surface']) {
    for (const fore of TEXT) expect(contrast(theme, fore, back), `${fore} on ${back}`).toBeGreaterThanOrEqual(4.5);
    for (const fore of GRAPHICS) expect(contrast(theme, fore, back), `${fore} on ${back}`).toBeGreaterThanOrEqual(3);
  }
  for (const fore of TEXT) expect(contrast(theme, fore, 'sunken'), `${fore} on sunken`).toBeGreaterThanOrEqual(4.5);
  for (const fore of ['text', 'muted', 'p1']) expect(contrast(theme, fore, 'p1-wash'), `${fore} on the wash of P1`).toBeGreaterThanOrEqual(4.5);
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
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (parts[0] ?? 0) + 0.7152 * (parts[1] ?? 0) + 0.0722 * (parts[2] ?? 0);
}
