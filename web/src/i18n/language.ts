/** The language of the screen: Chinese unless the person chose otherwise on this screen. */

import { effect, signal } from '@preact/signals';
import type { Text } from '../api/shape';
import { remembered } from '../theme/remembered';

export type Language = 'zh' | 'en';
export const LANGUAGES: readonly Language[] = ['zh', 'en'];

const kept = remembered('language', LANGUAGES, 'zh');
export const language = signal<Language>(kept.value);

/** Keeps the page's own language mark and the person's choice in step; call once at the start. */
export function runLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
    kept.keep(language.value);
  });
}

/** A name of the site file in the present language; the other one where it is empty. */
export function name(text: Text): string {
  return text[language.value] || text.zh || text.en;
}
