import { set } from '../address/address';
import { dateTime, ZONE_NAME } from '../clock/format';
import { now } from '../clock/now';
import { Button, Chip } from '../control/Button';
import { Icon } from '../frame/Icon';
import { shared } from '../i18n/shared';
import { beside, rangeOf, SPANS, type Range } from './range';

/** Spans, steps to either side, and the day before. */
export function RangeBar({ range, compare }: { range: Range; compare: boolean }) {
  const step = (way: -1 | 1) => (): void => {
    const { from_ms, to_ms } = beside(range, now.peek(), way);
    set({ from: from_ms, to: to_ms, span: null }, 'push');
  };
  const { from_ms, to_ms } = rangeOf(range, now.value);
  return (
    <div class="chips">
      {SPANS.map((minutes) => (
        <Chip key={minutes} on={range.kind === 'last' && range.minutes === minutes} onToggle={() => set({ span: minutes, from: null, to: null }, 'push')}>
          {spanWord(minutes)}
        </Chip>
      ))}
      <Button icon label={shared('trend.earlier')} onPress={step(-1)}>
        <Icon name="left" />
      </Button>
      <Button icon label={shared('trend.later')} disabled={to_ms >= now.value} onPress={step(1)}>
        <Icon name="right" />
      </Button>
      <Chip on={compare} onToggle={() => set({ before: compare ? null : '1' })}>
        {shared('trend.compare')}
      </Chip>
      <span class="muted small number">
        {dateTime(from_ms)} … {dateTime(to_ms)} {ZONE_NAME}
      </span>
      {range.kind === 'fixed' && (
        <Button look="plain" onPress={() => set({ from: null, to: null }, 'push')}>
          {shared('trend.to-now')}
        </Button>
      )}
    </div>
  );
}

function spanWord(minutes: number): string {
  if (minutes < 60) return shared('span.minutes', { count: minutes });
  return minutes <= 1440 ? shared('span.hours', { count: minutes / 60 }) : shared('span.days', { count: minutes / 1440 });
}
