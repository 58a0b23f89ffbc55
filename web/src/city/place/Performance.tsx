import { address, parameter, set } from '../../address/address';
import { query } from '../../api/call';
import { useLoaded } from '../../api/loaded';
import { ZONE_NAME } from '../../clock/format';
import { nowExactly } from '../../clock/now';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { language, name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { KpiView, type Naming } from '../../kpi/KpiView';
import { isPeriod, readPeriod, spanOf, type Period } from '../../kpi/period';
import { PeriodBar } from '../../kpi/PeriodBar';
import type { Kpi } from '../../kpi/shape';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { personName, pointOf } from '../around';
import { city } from '../city';
import { city as say } from '../messages';
import type { Gap } from '../shape';
import { SiteChoice } from '../SiteChoice';
import { only } from './Trend';

type CityKpi = Kpi & { site: string; gaps: Gap[] };

/** How well the alarms of one site serve those who answer them. */
export function PerformancePlace() {
  const site = parameter('site') ?? only();
  const period = readPeriod(address.value.parameters);
  const span = spanOf(period, nowExactly());
  return (
    <div class="place">
      <div class="title">
        <h1 class="grow">{shared('kpi.title')}</h1>
        {site !== null && isPeriod(span) && (
          <a class="button" href={`/api/kpi.csv?${query({ site, ...asked(span), zone: ZONE_NAME, lang: language.value })}`} download>
            {shared('kpi.csv')}
          </a>
        )}
        <Button look="plain" icon label={shared('act.print')} onPress={() => print()}>
          <Icon name="print" />
        </Button>
      </div>
      <div class="row no-print kpi-site">
        <SiteChoice value={site} none={say('kpi.choose-site')} onChoose={(next) => set({ site: next }, 'push')} />
      </div>
      <PeriodBar period={period} />
      <Answered site={site} period={period} />
    </div>
  );
}

function Answered({ site, period }: { site: string | null; period: Period }) {
  if (site === null) return <Empty why={say('kpi.no-site')} next={say('kpi.no-site-next')} />;
  if (!isPeriod(spanOf(period, nowExactly()))) return <Empty why={shared('kpi.no-span')} next={shared('kpi.no-span-next')} />;
  return <Asked site={site} period={period} />;
}

function Asked({ site, period }: { site: string; period: Period }) {
  const loaded = useLoaded(JSON.stringify([site, period]), (abort) => city.get<CityKpi>(`/api/kpi?${query({ site, ...asked(spanOf(period, nowExactly())) })}`, abort));
  // Asks for the site's model, by which its points have names.
  city.model(site);
  const { value, failure } = loaded;
  return (
    <>
      {failure && <Failed failure={failure} stillTrue={shared('kpi.still-true')} onRetry={loaded.again} />}
      {value ? <KpiView kpi={value} naming={naming(site)} gaps={value.gaps.length} /> : !failure && <Skeleton lines={14} />}
    </>
  );
}

const asked = ({ from_ms, to_ms }: { from_ms: number; to_ms: number }) => ({ from_ms: Math.round(from_ms), to_ms: Math.round(to_ms) });

const naming = (site: string): Naming => ({
  alarm: (id) => {
    const subject = id.slice(0, id.lastIndexOf('.'));
    const point = pointOf(site, subject);
    return point ? name(point.name) : subject;
  },
  who: (actor) => personName(actor, site),
});
