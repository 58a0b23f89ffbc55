/** Times as people at a plant read them: wall time of the site, whatever zone the screen's own machine is set to. */

/** China has one zone and no summer time. */
export const ZONE_MINUTES = 480;
export const ZONE_NAME = '+08:00';

/** ISO text of the site's wall time, without a zone: the one source of all forms below. */
function wall(ms: number): string {
  return new Date(ms + ZONE_MINUTES * 60_000).toISOString();
}

/** `14:03:27` */
export const timeOfDay = (ms: number): string => wall(ms).slice(11, 19);
/** `14:03:27.250` */
export const timeOfDayMs = (ms: number): string => wall(ms).slice(11, 23);
/** `2026-11-25` */
export const day = (ms: number): string => wall(ms).slice(0, 10);
/** `2026-11-25 14:03:27` */
export const dateTime = (ms: number): string => `${day(ms)} ${timeOfDay(ms)}`;

/** The time alone for today, with month and day for any other: a list must not let yesterday look like now. */
export function absolute(ms: number, now_ms: number): string {
  return day(ms) === day(now_ms) ? timeOfDay(ms) : `${wall(ms).slice(5, 10)} ${timeOfDay(ms)}`;
}

/** For `<input type="datetime-local">`, and back. */
export const toField = (ms: number): string => wall(ms).slice(0, 16);
export function fromField(text: string): number | null {
  const ms = Date.parse(`${text}Z`);
  return Number.isNaN(ms) ? null : ms - ZONE_MINUTES * 60_000;
}

export type SpanUnit = 'second' | 'minute' | 'hour' | 'day';

/** A span as one number with its unit, rounded down: `90 s` is one minute. */
export function span(ms: number): { count: number; unit: SpanUnit } {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return { count: seconds, unit: 'second' };
  if (seconds < 3600) return { count: Math.floor(seconds / 60), unit: 'minute' };
  if (seconds < 48 * 3600) return { count: Math.floor(seconds / 3600), unit: 'hour' };
  return { count: Math.floor(seconds / 86_400), unit: 'day' };
}

/** A duration in full, for a column: `0:42`, `12:05`, `3:12:05`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
