import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = new URL('../src', import.meta.url).pathname;
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' });
const book = (path: string): Record<string, string> => JSON.parse(readFileSync(join(SOURCE, path), 'utf8')) as Record<string, string>;
const BOOKS = [
  ['i18n/shared.zh.json', 'i18n/shared.en.json'],
  ['plant/messages/zh.json', 'plant/messages/en.json'],
  ['city/messages/zh.json', 'city/messages/en.json'],
] as const;

test.each(BOOKS)('%s and %s hold the same keys and the same places', (zh, en) => {
  const [chinese, english] = [book(zh), book(en)];
  expect(Object.keys(english).sort()).toEqual(Object.keys(chinese).sort());
  const places = (message: string | undefined): string[] => (message?.match(/\{\w+\}/g) ?? []).sort();
  for (const key of Object.keys(chinese)) expect(places(english[key]), key).toEqual(places(chinese[key]));
});

test('no component speaks by itself: words for people stand in the message files alone', () => {
  const found = files.filter((path) => path.endsWith('.tsx') || path.endsWith('.ts')).flatMap((path) => literals(readFileSync(join(SOURCE, path), 'utf8')).map((words) => `${path}: ${words}`));
  expect(found).toEqual([]);
});

test('every message key that a face asks for is in its books', () => {
  const books: Record<string, Set<string>> = {
    shared: new Set(Object.keys(book(BOOKS[0][0]))),
    plant: new Set(Object.keys(book(BOOKS[1][0]))),
    city: new Set(Object.keys(book(BOOKS[2][0]))),
  };
  for (const path of files.filter((file) => file.endsWith('.tsx'))) {
    for (const [, who, key] of readFileSync(join(SOURCE, path), 'utf8').matchAll(/\b(shared|plant|city)\('([\w.-]+)'/g)) {
      expect(books[who ?? '']?.has(key ?? ''), `${path}: ${who}('${key}')`).toBe(true);
    }
  }
});

/** Chinese anywhere but in comments, and English words between tags or in attributes that people read. */
function literals(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  const chinese = code.match(/[\u4e00-\u9fff]+/g) ?? [];
  const between = [...code.matchAll(/<\w+[^<>=]*>\s*([A-Z][a-z]+(?: [\w’']+)*)\s*<\//g)].map((match) => match[1] ?? '');
  const attributes = [...code.matchAll(/\b(?:title|placeholder|aria-label|label|alt)="([^"]*[A-Za-z]{2}[^"]*)"/g)].map((match) => match[1] ?? '');
  return [...chinese, ...between, ...attributes];
}
