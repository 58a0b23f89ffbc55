import { link, set } from '../../address/address';
import { AROUND_MS } from '../../alarm/AlarmDetails';
import { kind } from '../../alarm/state';
import { Mark } from '../../alarm/Symbol';
import { useLoaded } from '../../api/loaded';
import type { Transition } from '../../api/shape';
import { dateTime, duration } from '../../clock/format';
import { nowExactly } from '../../clock/now';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { language, name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { TrendChart } from '../../trend/TrendChart';
import { personName, pointOf, siteName } from '../around';
import { city } from '../city';
import { city as say } from '../messages';
import { readingsCsvLink } from '../question';
import type { Occurrence } from '../shape';
import { peak, trimmed } from './Answer';

/** The gateway's clock may have been set while it lasted: lines are looked for from a moment before. */
const BEFORE_MS = 60_000;
/** A latch is reset within a day of its end, or it is a later page's news. */
const AFTER_MS = 86_400_000;
const LINES_MAX = 500;

/** One occurrence: what happened, line by line, the trend around it, and its readings as a file. */
export function OccurrenceSide({ occurrence: one }: { occurrence: Occurrence }) {
  const close = (): void => set({ open: null });
  const end = one.cleared_ms ?? one.acknowledged_ms ?? nowExactly();
  const span = { from_ms: one.raised_ms - AROUND_MS, to_ms: Math.max(end, one.raised_ms) + AROUND_MS };
  const id = one.alarm.slice(0, one.alarm.lastIndexOf('.'));
  const point = pointOf(one.site, id);
  return (
    <aside class="card alarm-details" aria-label={name(one.name)}>
      <header>
        <Mark kind={kind(one)} />
        <h2 class="grow">{name(one.name)}</h2>
        <Button look="plain" icon label={shared('act.close')} onPress={close}>
          <Icon name="close" />
        </Button>
      </header>
      <div class="inside">
        <Facts one={one} />
        {point && <Around one={one} span={span} id={id} />}
        <div class="row no-print">
          <a class="button" href={link('trend', { site: one.site, points: id, from: Math.round(span.from_ms), to: Math.round(span.to_ms) })}>
            {shared('details.open-trend')}
          </a>
          {one.condition !== 'COMMS' && (
            <a class="button" href={readingsCsvLink(one.site, [id], span, language.value)} download>
              {say('record.readings-csv')}
            </a>
          )}
          <a class="button plain" href={link(['site', one.site])}>
            {siteName(one.site)}
          </a>
        </div>
        <section class="stack">
          <h3>{say('record.transitions')}</h3>
          <Lines one={one} />
        </section>
      </div>
    </aside>
  );
}

function Facts({ one }: { one: Occurrence }) {
  const facts: [string, string][] = [
    [shared('details.alarm'), `${one.alarm} · ${shared.orCode('condition', one.condition)} · ${say('record.occurrence', { count: one.occurrence })}`],
    [say('situation.column.site'), siteName(one.site)],
    [shared('details.raised'), dateTime(one.raised_ms) + (one.late ? ` · ${shared('time.late')}` : '')],
    [say('record.cleared'), one.cleared_ms === null ? say('record.not-cleared') : dateTime(one.cleared_ms)],
    [shared('details.acknowledged'), one.acknowledged_ms === null ? say('record.not-acknowledged') : `${dateTime(one.acknowledged_ms)} · ${one.acknowledged_by === null ? '' : personName(one.acknowledged_by, one.site)} · ${duration(one.time_to_acknowledge_ms ?? 0)}`],
    [say('record.column.peak'), peak(one)],
    [shared('column.limit'), one.limit === null ? '' : `${trimmed(one.limit)} ${one.unit}`],
  ];
  return (
    <dl class="facts">
      {facts.filter(([, text]) => text !== '').map(([term, text]) => (
        <>
          <dt key={term}>{term}</dt>
          <dd>{text}</dd>
        </>
      ))}
    </dl>
  );
}

function Around({ one, span, id }: { one: Occurrence; span: { from_ms: number; to_ms: number }; id: string }) {
  const trend = useLoaded('trend', (abort) => city.trend(one.site, [id], span.from_ms, span.to_ms, 300, abort));
  if (!trend.value) return trend.failure ? <Failed failure={trend.failure} stillTrue={say('record.still-true')} onRetry={trend.again} /> : <Skeleton lines={5} />;
  const lines = trend.value.series.map((series) => ({ series, label: name(one.name), point: pointOf(one.site, id) }));
  return <TrendChart lines={lines} transitions={trend.value.transitions} cut={trend.value.transitions_cut} from_ms={span.from_ms} to_ms={span.to_ms} height_px={180} />;
}

/** The journal's lines of this occurrence alone, oldest first, as it was lived. */
function Lines({ one }: { one: Occurrence }) {
  const loaded = useLoaded<readonly Transition[]>('lines', async (abort) => {
    const over = one.cleared_ms !== null && one.acknowledged_ms !== null ? { to_ms: Math.max(one.cleared_ms, one.acknowledged_ms) + AFTER_MS } : {};
    const page = await city.transitions(one.site, one.alarm, { from_ms: one.raised_ms - BEFORE_MS, limit: LINES_MAX, ...over }, abort);
    if (!page.ok) return page;
    return { ok: true, value: page.value.transitions.filter((line) => line.occurrence === one.occurrence).reverse() };
  });
  if (!loaded.value) return loaded.failure ? <Failed failure={loaded.failure} stillTrue={say('record.still-true')} onRetry={loaded.again} /> : <Skeleton lines={4} />;
  if (loaded.value.length === 0) return <Empty why={shared('details.no-history')} />;
  return (
    <ol class="history">
      {loaded.value.map((line) => (
        <li key={line.seq}>
          <time class="muted">{dateTime(line.time_ms).slice(5)}</time>
          <span>
            <span class="strong">{shared.orCode('transition', line.cause)}</span>
            {line.from !== line.to && <span class="muted"> → {shared.orCode('state', line.to)}</span>}
            {line.actor && <span> {personName(line.actor, one.site)}</span>}
            {line.reason && <span class="muted"> “{line.reason}”</span>} {line.late && <span class="tag">{shared('time.late')}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
