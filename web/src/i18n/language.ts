/** The language of the screen: what was chosen on it; until then English where it is the browser's first language, else Chinese. */

import { effect, signal } from '@preact/signals';
import type { Text } from '../api/shape';
import { remembered } from '../theme/remembered';

export type Language = 'zh' | 'en';
export const LANGUAGES: readonly Language[] = ['zh', 'en'];

/** The first language alone counts: a Chinese browser names English behind it. */
export const usual = (preferred: readonly string[]): Language => (/^en\b/i.test(preferred[0] ?? '') ? 'en' : 'zh');

const kept = remembered('language', LANGUAGES, usual(typeof navigator === 'undefined' ? [] : navigator.languages));
export const language = signal<Language>(kept.value);

/** Keeps the page's own language mark and the person's choice in step; call once at the start. What nobody chose is not remembered. */
export function runLanguage(): void {
  let chosen = false;
  effect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
    if (language.value !== kept.value) chosen = true;
    if (chosen) kept.keep(language.value);
  });
}

/** A name of the site file in the present language; the other one where it is empty. */
export function name(text: Text): string {
  return text[language.value] || text.zh || text.en;
}
