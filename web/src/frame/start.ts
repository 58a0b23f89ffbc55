import { render, type ComponentChild } from 'preact';
import { runAddress } from '../address/address';
import { runClock } from '../clock/now';
import { runLanguage } from '../i18n/language';
import { runKeys } from '../keys/keys';
import { runTheme } from '../theme/theme';
import '../theme/base.css';

/** What every face does at its start, before its first drawing. */
export function start(face: ComponentChild): void {
  runTheme();
  runLanguage();
  runAddress();
  runKeys();
  runClock();
  const root = document.getElementById('face');
  if (root) render(face, root);
}
