const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `181.4 MB`: decimal prefixes, as disks are sold. */
export function size(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${UNITS[step]}`;
}

/** Whole percent; 0 of nothing. */
export const share = (part: number, whole: number): number => (whole > 0 ? Math.min(100, Math.round((100 * part) / whole)) : 0);
