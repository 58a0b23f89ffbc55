import { translator } from '../../i18n/translator';
import en from './en.json';
import zh from './zh.json';

/** The messages of the city face alone. */
export const city = translator({ zh, en });
