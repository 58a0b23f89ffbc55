/** Messages by key, with `{name}` places. Each face has its own two books of equal keys beside the shared ones. */

import { language, type Language } from './language';

export type Book = Record<string, string>;
export type Places = Record<string, string | number>;

export type Translator<K extends string> = ((key: K, places?: Places) => string) & {
  /** For keys made from codes of the daemon, which may be newer than this screen: the code itself where no message has it. */
  orCode: (prefix: string, code: string) => string;
  /** In both languages, for what is written down. */
  both: (key: K, places?: Places) => Record<Language, string>;
};

export function translator<B extends Book>(books: Record<Language, B>): Translator<keyof B & string> {
  const say = (key: keyof B & string, places?: Places): string => fill(books[language.value][key] ?? key, places);
  const orCode = (prefix: string, code: string): string => books[language.value][`${prefix}.${code}`] ?? code;
  const both = (key: keyof B & string, places?: Places) => ({ zh: fill(books.zh[key] ?? key, places), en: fill(books.en[key] ?? key, places) });
  return Object.assign(say, { orCode, both });
}

function fill(message: string, places?: Places): string {
  if (!places) return message;
  return message.replace(/\{(\w+)\}/g, (whole, place: string) => String(places[place] ?? whole));
}
