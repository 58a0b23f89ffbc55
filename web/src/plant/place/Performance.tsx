import { address } from '../../address/address';
import { useLoaded } from '../../api/loaded';
import { nowExactly } from '../../clock/now';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { KpiView, type Naming } from '../../kpi/KpiView';
import { isPeriod, readPeriod, spanOf, type Period } from '../../kpi/period';
import { PeriodBar } from '../../kpi/PeriodBar';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { plant } from '../plant';

/** Figures up to now are made anew this often. */
const FOLLOW_MS = 60_000;

/** How well this plant's alarms serve those who answer them. */
export function Performance() {
  const period = readPeriod(address.value.parameters);
  return (
    <div class="place">
      <div class="title">
        <h1 class="grow">{shared('kpi.title')}</h1>
        <Button look="plain" icon label={shared('act.print')} onPress={() => print()}>
          <Icon name="print" />
        </Button>
      </div>
      <PeriodBar period={period} />
      {isPeriod(spanOf(period, nowExactly())) ? <Asked period={period} /> : <Empty why={shared('kpi.no-span')} next={shared('kpi.no-span-next')} />}
    </div>
  );
}

function Asked({ period }: { period: Period }) {
  const ask = (signal: AbortSignal) => {
    const { from_ms, to_ms } = spanOf(period, nowExactly());
    return plant.kpi(from_ms, to_ms, signal);
  };
  const loaded = useLoaded(JSON.stringify(period), ask, period.kind === 'last' ? FOLLOW_MS : undefined);
  const { value, failure } = loaded;
  return (
    <>
      {failure && <Failed failure={failure} stillTrue={shared('kpi.still-true')} onRetry={loaded.again} />}
      {value ? <KpiView kpi={value} naming={naming} /> : !failure && <Skeleton lines={14} />}
    </>
  );
}

const naming: Naming = {
  alarm: (id) => {
    const site = plant.site.value;
    const subject = id.slice(0, id.lastIndexOf('.'));
    const parts = [...(site?.points ?? []), ...(site?.devices ?? []), ...(site?.outputs ?? [])];
    const part = parts.find((one) => one.id === subject);
    return part ? name(part.name) : subject;
  },
  who: (actor) => plant.site.value?.people.find((person) => person.id === actor)?.name ?? actor,
};
