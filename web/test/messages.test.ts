import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = new URL('../src', import.meta.url).pathname;
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' });
const book = (path: string): Record<string, string> => JSON.parse(readFileSync(join(SOURCE, path), 'utf8')) as Record<string, string>;
const BOOKS = [
  ['i18n/shared.zh.json', 'i18n/shared.en.json'],
  ['plant/messages/zh.json', 'plant/messages/en.json'],
  ['plant/commission/messages/zh.json', 'plant/commission/messages/en.json'],
  ['plant/commission/proof/messages/zh.json', 'plant/commission/proof/messages/en.json'],
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
    city: new Set(Object.keys(book('city/messages/zh.json'))),
  };
  for (const path of files.filter((file) => file.endsWith('.tsx'))) {
    for (const [, who, key] of readFileSync(join(SOURCE, path), 'utf8').matchAll(/\b(shared|plant|city)\('([\w.-]+)'/g)) {
      expect(books[who ?? '']?.has(key ?? ''), `${path}: ${who}('${key}')`).toBe(true);
    }
  }
});

/** Codes as the daemons' sources name them: a code without a sentence would be shown to a person as it is. */
const REPOSITORY = new URL('../..', import.meta.url).pathname;
const CODES: [what: string, least: number, path: string, pattern: RegExp][] = [
  ['the rules of alarms', 20, 'alarm/src/action.rs', /(?<=enum Refusal[^]*)=> "([a-z-]+)",/g],
  ['the city', 10, 'cloud/src/api/error.rs', /(?<!with_message)\(\s*"([a-z-]+)",\s*Message|\{ why: "([a-z-]+)" \}/g],
  ['a file of the city', 1, 'cloud/src/api/error.rs', /why: "([a-z-]+)"/g],
  ['coverage', 1, 'cloud/src/questions/coverage.rs', /why: "([a-z-]+)"/g],
  ['a ranking', 1, 'cloud/src/questions/ranking.rs', /why: "([a-z-]+)"/g],
  ['the plant', 7, 'gateway/src/screen/refusal.rs', /StatusCode::\w+,\s*"([a-z-]+)"/g],
  ['an act at the plant', 1, 'gateway/src/screen/acts.rs', /ByRule\("([a-z-]+)"\)/g],
  ['a proof at the plant', 6, 'gateway/src/screen/prove.rs', /ByRule\("([a-z-]+)"\)/g],
  ['the commissioning pages', 6, 'gateway/src/screen/commission.rs', /against\("([a-z-]+)"|why: "([a-z-]+)"|=> \("([a-z-]+)", |^\s*\("([a-z-]+)", json/gm],
  ['a command to a gateway', 3, 'gateway/src/uplink/command.rs', /(?:no|ok_or|Err)\("([a-z-]+)"\)/g],
  ['the way to judgement', 2, 'gateway/src/uplink/link.rs', /no\("([a-z-]+)"\)|=> "([a-z-]+)",/g],
];

test.each(CODES)('every code of %s has a sentence', (_, least, path, pattern) => {
  const codes = new Set([...readFileSync(join(REPOSITORY, path), 'utf8').matchAll(pattern)].map((found) => found.slice(1).find(Boolean) ?? ''));
  expect(codes.size, [...codes].join(' ')).toBeGreaterThanOrEqual(least);
  const sentences = book(BOOKS[0][0]);
  expect([...codes].filter((code) => !sentences[`why.${code}`])).toEqual([]);
});

test('every state of a slot of firmware, and every reason for one, has a sentence', () => {
  const source = readFileSync(join(REPOSITORY, 'wire/src/node/update.rs'), 'utf8');
  const [, states = '', whys = ''] = source.split(/^impl (?:SlotState|Why) /m);
  const names = (text: string) => [...text.matchAll(/=> "([a-z-]+)",/g)].map((found) => found[1] ?? '');
  expect([names(states).length, names(whys).length]).toEqual([7, 11]);
  const wanted = [...names(states).map((name) => `slot-state.${name}`), ...names(whys).map((name) => `slot-why.${name}`)];
  const sentences = book(BOOKS[0][0]);
  expect(wanted.filter((key) => !sentences[key])).toEqual([]);
});

const FIELDS: [whose: string, least: number, folder: string, pattern: RegExp][] = [
  ['city', 14, 'cloud/src/api', /field: "([a-z_]+)"\.into\(\)|text\(.*, "([a-z_]+)"\)/g],
  ['plant', 16, 'gateway/src/screen', /Refused::bad\("([a-z_]+)"|refused\("([a-z_]+)", "/g],
  ['search and the probe', 2, 'gateway/src/commission', /LookError::Field\(\s*"([a-z_]+)"|field\("([a-z_]+)"/g],
];

test.each(FIELDS)('every field that a call of the %s may refuse has a name', (_, least, path, pattern) => {
  const folder = join(REPOSITORY, path);
  const sources = readdirSync(folder).filter((file) => file.endsWith('.rs')).map((file) => readFileSync(join(folder, file), 'utf8')).join('');
  const fields = new Set([...sources.matchAll(pattern)].map((found) => found[1] ?? found[2] ?? ''));
  expect(fields.size, [...fields].join(' ')).toBeGreaterThanOrEqual(least);
  const names = book(BOOKS[0][0]);
  expect([...fields].filter((field) => !names[`field.${field}`])).toEqual([]);
});

/** Chinese anywhere but in comments, and English words between tags or in attributes that people read. */
function literals(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  const chinese = code.match(/[\u4e00-\u9fff]+/g) ?? [];
  const between = [...code.matchAll(/<\w+[^<>=]*>\s*([A-Z][a-z]+(?: [\w’']+)*)\s*<\//g)].map((match) => match[1] ?? '');
  const attributes = [...code.matchAll(/\b(?:title|placeholder|aria-label|label|alt)="([^"]*[A-Za-z]{2}[^"]*)"/g)].map((match) => match[1] ?? '');
  return [...chinese, ...between, ...attributes];
}
