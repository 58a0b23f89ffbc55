import { translator } from '../../../i18n/translator';
import en from './en.json';
import zh from './zh.json';

/** The messages of the commissioning pages alone. */
export const commission = translator({ zh, en });
