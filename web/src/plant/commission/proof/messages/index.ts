import { translator } from '../../../../i18n/translator';
import en from './en.json';
import zh from './zh.json';

/** The messages of proof tests and their report alone. */
export const proof = translator({ zh, en });
