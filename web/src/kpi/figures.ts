/** Figures as people read them. */

import { duration } from '../clock/format';
import { shared } from '../i18n/shared';

/** `0.7 %`, which no line breaks; a share that is not nothing is never shown as nothing. */
export function percent(share: number | null): string {
  if (share === null) return shared('kpi.none');
  const value = share * 100;
  return `${value > 0 && value < 0.1 ? '< 0.1' : value.toFixed(value < 10 && value > 0 ? 1 : 0)}\u00a0%`;
}

export const decimal = (value: number | null, places: number): string => (value === null ? shared('kpi.none') : value.toFixed(places));

/** `1:02` */
export const took = (ms: number | null): string => (ms === null ? shared('kpi.none') : duration(ms));

export const seconds = (ms: number): string => String(Math.round(ms / 100) / 10);
