import { set } from '../address/address';
import { Moment } from '../clock/Moment';
import { now } from '../clock/now';
import { Chip } from '../control/Button';
import { shared } from '../i18n/shared';
import { DAYS, spanOf, type Period } from './period';

/** The last day, week or month, or from one moment to another. */
export function PeriodBar({ period }: { period: Period }) {
  const { from_ms, to_ms } = spanOf(period, now.value);
  return (
    <div class="row kpi-period no-print" role="group" aria-label={shared('kpi.period')}>
      <div class="chips">
        {DAYS.map((days) => (
          <Chip key={days} on={period.kind === 'last' && period.days === days} onToggle={() => set({ days: days === 1 ? null : days, from: null, to: null }, 'push')}>
            {days === 1 ? shared('span.hours', { count: 24 }) : shared('span.days', { count: days })}
          </Chip>
        ))}
      </div>
      <Moment label={shared('kpi.from')} value_ms={from_ms} onChange={(from) => set({ from, to: Math.round(to_ms), days: null }, 'push')} />
      <Moment label={shared('kpi.to')} value_ms={to_ms} onChange={(to) => set({ from: Math.round(from_ms), to, days: null }, 'push')} />
    </div>
  );
}
