import { shared } from '../i18n/shared';
import { absolute, dateTime, duration, span, timeOfDay } from './format';
import { now } from './now';

/** `14:03:27`, with its distance beside it: absolute first. The full date is the tooltip. */
export function Time({ ms, late = false }: { ms: number; late?: boolean }) {
  return (
    <span class="time">
      <time dateTime={new Date(ms).toISOString()} title={dateTime(ms)}>
        {absolute(ms, now.value)}
      </time>
      <span class="muted small">
        <Ago ms={ms} />
      </span>
      {late && <span class="tag late">{shared('time.late')}</span>}
    </span>
  );
}

/** `2 分钟前` */
export function Ago({ ms }: { ms: number }) {
  return <>{ago(now.value - ms)}</>;
}

export function ago(ms: number): string {
  if (ms < 1000) return shared('time.now');
  const { count, unit } = span(ms);
  return shared(`time.ago.${unit}`, { count });
}

/** How long something has lasted, counting. */
export function Lasting({ from_ms, to_ms = null }: { from_ms: number; to_ms?: number | null }) {
  return <span class="number">{duration((to_ms ?? now.value) - from_ms)}</span>;
}

export function Clock() {
  return <time class="number">{timeOfDay(now.value)}</time>;
}
