import { expect, test } from 'vitest';
import { usual } from '../src/i18n/language';

test.each([
  [[], 'zh'],
  [['zh-CN', 'en'], 'zh'],
  [['en-GB', 'zh-CN'], 'en'],
  [['EN'], 'en'],
  [['de-DE', 'en'], 'zh'],
  [['enm'], 'zh'],
] as const)('a browser that prefers %j is met in %s', (preferred, language) => {
  expect(usual(preferred)).toBe(language);
});
