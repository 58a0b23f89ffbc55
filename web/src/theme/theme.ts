import { effect, signal } from '@preact/signals';
import { remembered } from './remembered';

export type Theme = 'auto' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

const kept = remembered('theme', THEMES, 'auto');
export const theme = signal<Theme>(kept.value);

/** The theme that is drawn: `auto` follows the machine. Canvas drawings read their colours anew when it changes. */
export const shown = signal<'light' | 'dark'>('light');

/** Keeps the page in the chosen theme; call once at the start. */
export function runTheme(): void {
  const machine = matchMedia('(prefers-color-scheme: dark)');
  const machineDark = signal(machine.matches);
  machine.addEventListener('change', () => (machineDark.value = machine.matches));
  effect(() => {
    const dark = theme.value === 'dark' || (theme.value === 'auto' && machineDark.value);
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
    shown.value = dark ? 'dark' : 'light';
    kept.keep(theme.value);
  });
}

/** A token of theme/tokens.css as the browser computes it now, for drawings that CSS cannot reach. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
