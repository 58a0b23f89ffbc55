import { useMemo } from 'preact/hooks';
import { address, parameter, set } from '../../address/address';
import { done } from '../../api/call';
import { useLoaded } from '../../api/loaded';
import type { Series, Trend } from '../../api/shape';
import { now } from '../../clock/now';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { language, name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { moved } from '../../trend/columns';
import { PointPicker } from '../../trend/PointPicker';
import { DAY_MS, rangeOf, readRange, type Range } from '../../trend/range';
import { RangeBar } from '../../trend/RangeBar';
import { LINES_MAX } from '../../trend/columns';
import { TrendChart, type TrendLine } from '../../trend/TrendChart';
import { pointOf } from '../around';
import { city } from '../city';
import { city as say } from '../messages';
import { readingsCsvLink } from '../question';
import { SiteChoice } from '../SiteChoice';

const BUCKETS = 600;
/** A trend that ends now is asked for again this often; the cloud serves many screens. */
const FOLLOW_MS = 10_000;

/** Up to ten points of one site over a range that the address holds. */
export function TrendPlace() {
  const { parameters } = address.value;
  const site = parameter('site') ?? only();
  const points = (parameters.get('points') ?? '').split(',').filter(Boolean).slice(0, LINES_MAX);
  const range = readRange(parameters);
  const compare = parameters.get('before') === '1';
  const model = site === null ? null : city.model(site);
  return (
    <div class="place">
      <div class="title">
        <h1 class="grow">{say('place.trend')}</h1>
        {site !== null && points.length > 0 && (
          <a class="button plain" href={readingsCsvLink(site, points, rangeOf(range, now.value), language.value)} download>
            {say('trend.csv')}
          </a>
        )}
        <Button look="plain" icon label={shared('act.print')} onPress={() => print()}>
          <Icon name="print" />
        </Button>
      </div>
      <div class="row no-print trend-choice">
        <SiteChoice value={site} none={say('trend.choose-site')} onChoose={(next) => set({ site: next, points: null }, 'push')} />
        {site !== null && <PointPicker chosen={points} points={model?.points ?? []} areas={model?.areas ?? []} onChange={(next) => set({ site, points: next.join(',') })} />}
      </div>
      <RangeBar range={range} compare={compare} />
      <section class="card pad">
        {site === null ? (
          <Empty why={say('trend.no-site')} next={say('trend.no-site-next', { count: LINES_MAX })} />
        ) : points.length === 0 ? (
          <Empty why={shared('trend.empty')} next={shared('trend.empty-next', { count: LINES_MAX })} />
        ) : (
          <Chart site={site} points={points} range={range} compare={compare} />
        )}
      </section>
    </div>
  );
}

/** The site of a person who has but one. */
export function only(): string | null {
  const sites = city.sites.value;
  return sites?.size === 1 ? ([...sites.keys()][0] ?? null) : null;
}

interface Asked {
  site: string;
  points: readonly string[];
  range: Range;
  compare: boolean;
}

function Chart(asked: Asked) {
  const { site, range } = asked;
  const loaded = useLoaded(JSON.stringify(asked), (abort) => ask(asked, abort), range.kind === 'last' ? FOLLOW_MS : undefined);
  const drawn = loaded.value;
  const model = city.model(site);
  const spoken = language.value;
  const lines = useMemo(() => (drawn ? linesOf(site, drawn) : []), [site, drawn, model, spoken]);
  if (!drawn) return loaded.failure ? <Failed failure={loaded.failure} stillTrue={shared('details.still-true')} onRetry={loaded.again} /> : <Skeleton lines={14} />;
  const choose = (chosen: { from_ms: number; to_ms: number } | null): void =>
    set(chosen ? { from: chosen.from_ms, to: chosen.to_ms, span: null } : { from: null, to: null }, 'push');
  return (
    <>
      {loaded.failure && <Failed failure={loaded.failure} stillTrue={shared('trend.still-true')} onRetry={loaded.again} />}
      <TrendChart lines={lines} transitions={drawn.trend.transitions} cut={drawn.trend.transitions_cut} from_ms={drawn.from_ms} to_ms={drawn.to_ms} height_px={420} onRange={choose} />
    </>
  );
}

interface Drawn {
  trend: Trend;
  before: Trend | null;
  from_ms: number;
  to_ms: number;
}

async function ask({ site, points, range, compare }: Asked, abort: AbortSignal) {
  const { from_ms, to_ms } = rangeOf(range, now.peek());
  const [trend, before] = await Promise.all([
    city.trend(site, points, from_ms, to_ms, BUCKETS, abort),
    compare ? city.trend(site, points, from_ms - DAY_MS, to_ms - DAY_MS, BUCKETS, abort) : null,
  ]);
  if (!trend.ok) return trend;
  if (before && !before.ok) return before;
  return done<Drawn>({ trend: trend.value, before: before?.value ?? null, from_ms, to_ms });
}

function linesOf(site: string, { trend, before }: Drawn): TrendLine[] {
  const line = (series: Series, isBefore: boolean): TrendLine => {
    const point = pointOf(site, series.point);
    return { series: isBefore ? moved(series, DAY_MS) : series, label: point ? name(point.name) : series.point, point, before: isBefore };
  };
  return [...trend.series.map((series) => line(series, false)), ...(before?.series ?? []).map((series) => line(series, true))];
}
