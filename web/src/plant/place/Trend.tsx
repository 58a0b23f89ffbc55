import { useMemo } from 'preact/hooks';
import { address, set } from '../../address/address';
import { done } from '../../api/call';
import { useLoaded } from '../../api/loaded';
import type { Trend as TrendShape } from '../../api/shape';
import { now } from '../../clock/now';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { moved } from '../../trend/columns';
import { RangeBar } from '../../trend/RangeBar';
import { DAY_MS, rangeOf, readRange, type Range } from '../../trend/range';
import { PointPicker } from '../../trend/PointPicker';
import { LINES_MAX } from '../../trend/columns';
import { TrendChart, type TrendLine } from '../../trend/TrendChart';
import { pointById } from '../around';
import { plant as say } from '../messages';
import { plant } from '../plant';

const BUCKETS = 600;
/** A trend that ends now is asked for again this often. */
const FOLLOW_MS = 5_000;

/** Up to ten points over a range that the address holds. */
export function Trend() {
  const { parameters } = address.value;
  const points = (parameters.get('points') ?? '').split(',').filter(Boolean).slice(0, LINES_MAX);
  const range = readRange(parameters);
  const compare = parameters.get('before') === '1';
  return (
    <div class="place">
      <div class="title">
        <h1 class="grow">{say('place.trend')}</h1>
        <Button look="plain" icon label={shared('act.print')} onPress={() => print()}>
          <Icon name="print" />
        </Button>
      </div>
      <PointPicker chosen={points} points={plant.site.value?.points ?? []} areas={plant.site.value?.areas ?? []} onChange={(next) => set({ points: next.join(',') })} />
      <RangeBar range={range} compare={compare} />
      <section class="card pad">{points.length === 0 ? <Empty why={shared('trend.empty')} next={shared('trend.empty-next', { count: LINES_MAX })} /> : <Chart points={points} range={range} compare={compare} />}</section>
    </div>
  );
}

function Chart({ points, range, compare }: { points: readonly string[]; range: Range; compare: boolean }) {
  const follows = range.kind === 'last';
  // A range that ends now moves with the data, not with the clock: what is asked for and what is drawn are of one moment.
  const loaded = useLoaded(JSON.stringify([points, range, compare]), (signal) => ask(points, range, compare, signal), follows ? FOLLOW_MS : undefined);
  const drawn = loaded.value;
  const spoken = name({ zh: 'zh', en: 'en' });
  const lines = useMemo(() => (drawn ? linesOf(drawn) : []), [drawn, plant.site.value, spoken]);
  if (!drawn) return loaded.failure ? <Failed failure={loaded.failure} stillTrue={shared('details.still-true')} onRetry={loaded.again} /> : <Skeleton lines={14} />;
  return (
    <>
      {loaded.failure && <Failed failure={loaded.failure} stillTrue={shared('trend.still-true')} onRetry={loaded.again} />}
      <TrendChart lines={lines} transitions={drawn.trend.transitions} cut={drawn.trend.transitions_cut} from_ms={drawn.from_ms} to_ms={drawn.to_ms} height_px={chartHeight()} onRange={(chosen) => set(chosen ? { from: chosen.from_ms, to: chosen.to_ms, span: null } : { from: null, to: null }, 'push')} />
    </>
  );
}

/** What the window leaves for the chart, so that the read-out is in sight below it. */
const chartHeight = (): number => Math.min(640, Math.max(300, innerHeight - 420));

interface Drawn {
  trend: TrendShape;
  before: TrendShape | null;
  from_ms: number;
  to_ms: number;
}

async function ask(points: readonly string[], range: Range, compare: boolean, signal: AbortSignal) {
  const { from_ms, to_ms } = rangeOf(range, now.peek());
  const [trend, before] = await Promise.all([
    plant.trend(points, from_ms, to_ms, BUCKETS, signal),
    compare ? plant.trend(points, from_ms - DAY_MS, to_ms - DAY_MS, BUCKETS, signal) : null,
  ]);
  if (!trend.ok) return trend;
  if (before && !before.ok) return before;
  return done<Drawn>({ trend: trend.value, before: before?.value ?? null, from_ms, to_ms });
}

function linesOf({ trend, before }: Drawn): TrendLine[] {
  const line = (series: TrendShape['series'][number], isBefore: boolean): TrendLine => {
    const point = pointById(series.point);
    return { series: isBefore ? moved(series, DAY_MS) : series, label: point ? name(point.name) : series.point, point, before: isBefore };
  };
  return [...trend.series.map((series) => line(series, false)), ...(before?.series ?? []).map((series) => line(series, true))];
}
