import { translator } from '../../i18n/translator';
import en from './en.json';
import zh from './zh.json';

/** The messages of the plant face alone. */
export const plant = translator({ zh, en });
