import { useMemo, useState } from 'preact/hooks';
import type { Failure, Outcome } from '../api/call';
import type { Alarm, Transition, Trend } from '../api/shape';
import type { Loaded } from '../api/loaded';
import { Time } from '../clock/Time';
import { dateTime } from '../clock/format';
import { Button } from '../control/Button';
import { Icon } from '../frame/Icon';
import { name } from '../i18n/language';
import { shared } from '../i18n/shared';
import { Empty, Failed, Refusal, Skeleton } from '../notice/Notice';
import { TrendChart } from '../trend/TrendChart';
import { figure, Reading } from '../value/Reading';
import { needsNote, type AlarmActs } from './acts';
import { limitText, type Surroundings } from './AlarmRow';
import { NoteLine } from './NoteLine';
import { ReasonDialog } from './ReasonDialog';
import { ShelveDialog } from './ShelveDialog';
import { suppressed, unacknowledged } from './state';
import { AlarmMark } from './Symbol';
import './alarm.css';

/** How much of the trend stands before and after the alarm. */
export const AROUND_MS = 30 * 60_000;

interface AlarmDetailsProps {
  alarm: Alarm;
  around: Surroundings;
  acts: AlarmActs;
  /** The trend around the alarm; null for an alarm without a point. */
  trend: Loaded<Trend> | null;
  history: Loaded<readonly Transition[]>;
  trendLink: string | null;
  onClose: () => void;
}

/** What one needs to answer for one alarm: what to do, what it looks like, what it did before. */
export function AlarmDetails({ alarm, around, acts, trend, history, trendLink, onClose }: AlarmDetailsProps) {
  return (
    <aside class="card alarm-details" aria-label={name(alarm.name)}>
      <header>
        <AlarmMark alarm={alarm} />
        <h2 class="grow">{name(alarm.name)}</h2>
        <Button look="plain" icon label={shared('act.close')} onPress={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      <div class="inside">
        {alarm.guidance && <p class="guidance">{name(alarm.guidance)}</p>}
        <Acts alarm={alarm} acts={acts} pending={around.pending?.(alarm) ?? null} />
        <Facts alarm={alarm} around={around} />
        {trend && <TrendAround alarm={alarm} around={around} trend={trend} link={trendLink} />}
        <section class="stack">
          <h3>{shared('details.history')}</h3>
          <History alarm={alarm} around={around} history={history} />
        </section>
      </div>
    </aside>
  );
}

function Facts({ alarm, around }: { alarm: Alarm; around: Surroundings }) {
  const point = around.point(alarm);
  const value = around.value(alarm);
  const limit = limitText(alarm, point);
  return (
    <dl class="facts live">
      <dt>{shared('details.alarm')}</dt>
      <dd>
        {alarm.id} · {shared(`condition.${alarm.condition}`)} · {[around.site?.(alarm), around.where(alarm)].filter(Boolean).join(' · ')}
      </dd>
      <dt>{shared('details.state')}</dt>
      <dd class="strong">{shared(`state.${alarm.state}`)}</dd>
      {point && value && (
        <>
          <dt>{shared('details.now')}</dt>
          <dd>
            <Reading value={value.value} point={point} />
          </dd>
        </>
      )}
      {limit && (
        <>
          <dt>{shared('column.limit')}</dt>
          <dd>{limit}</dd>
        </>
      )}
      {alarm.raised_ms !== null && (
        <>
          <dt>{shared('details.raised')}</dt>
          <dd>
            <Time ms={alarm.raised_ms} late={alarm.late} />
          </dd>
        </>
      )}
      {alarm.acknowledged_ms !== null && alarm.acknowledged && (
        <>
          <dt>{shared('details.acknowledged')}</dt>
          <dd>
            <Time ms={alarm.acknowledged_ms} /> {alarm.actor !== null && around.who(alarm.actor, alarm)}
          </dd>
        </>
      )}
      {alarm.reason && (
        <>
          <dt>{shared('details.reason')}</dt>
          <dd>{alarm.reason}</dd>
        </>
      )}
      {alarm.shelved_until_ms !== null && (
        <>
          <dt>{shared('details.shelved-until')}</dt>
          <dd>{dateTime(alarm.shelved_until_ms)}</dd>
        </>
      )}
    </dl>
  );
}

type Question = 'note' | 'shelve' | 'out-of-service' | null;

/** The acts that this alarm's state allows. Acknowledge is one click; the others say what they will do before they do it. */
function Acts({ alarm, acts, pending }: { alarm: Alarm; acts: AlarmActs; pending: string | null }) {
  const [question, setQuestion] = useState<Question>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = async (act: Promise<Outcome<unknown>>): Promise<void> => {
    const outcome = await act;
    setFailure(outcome.ok || outcome.failure.code === 'cancelled' ? null : outcome.failure);
    if (outcome.ok) setQuestion(null);
  };
  const begin = async (next: Question): Promise<void> => {
    if (!acts.begin || (await acts.begin())) setQuestion(next);
  };
  const acknowledge = (): unknown => (needsNote(alarm) ? setQuestion('note') : run(acts.acknowledge!(alarm, null)));
  const resettable = alarm.state === 'LATCH-ACK' || alarm.state === 'LATCH-UNACK';
  const shelved = alarm.suppressed.includes('shelved');
  const out = alarm.suppressed.includes('out-of-service');
  return (
    <div class="stack no-print">
      {question === 'note' ? (
        <div class="row">
          <NoteLine onNote={(note) => run(acts.acknowledge!(alarm, note))} onClose={() => setQuestion(null)} />
        </div>
      ) : (
        <div class="row">
          {acts.acknowledge && unacknowledged(alarm) && (
            <Button look="main" onPress={acknowledge}>
              {shared('act.acknowledge')}
            </Button>
          )}
          {acts.reset && resettable && (
            <Button onPress={() => run(acts.reset!(alarm))} disabled={alarm.state !== 'LATCH-ACK'} title={shared('act.reset-hint')}>
              {shared('act.reset')}
            </Button>
          )}
          {acts.shelve && !suppressed(alarm) && <Button onPress={() => begin('shelve')}>{shared('act.shelve')}</Button>}
          {acts.unshelve && shelved && <Button onPress={() => run(acts.unshelve!(alarm))}>{shared('act.unshelve')}</Button>}
          {acts.outOfService && !out && <Button onPress={() => begin('out-of-service')}>{shared('act.out-of-service')}</Button>}
          {acts.inService && out && <Button onPress={() => run(acts.inService!(alarm))}>{shared('act.in-service')}</Button>}
        </div>
      )}
      {pending && (
        <p class="muted" role="status">
          {pending}
        </p>
      )}
      {failure && <Refusal failure={failure} />}
      {question === 'shelve' && acts.shelve && (
        <ShelveDialog alarm={alarm} seconds={acts.seconds?.() ?? null} onShelve={(shelving) => acts.shelve!(alarm, shelving)} onClose={() => setQuestion(null)} />
      )}
      {question === 'out-of-service' && acts.outOfService && (
        <ReasonDialog
          title={shared('act.out-of-service')}
          what={shared('out-of-service.what', { alarm: `${alarm.id} ${name(alarm.name)}` })}
          onSend={(reason) => acts.outOfService!(alarm, reason)}
          onClose={() => setQuestion(null)}
        />
      )}
    </div>
  );
}

function TrendAround({ alarm, around, trend, link }: { alarm: Alarm; around: Surroundings; trend: Loaded<Trend>; link: string | null }) {
  const point = around.point(alarm);
  const middle = alarm.raised_ms ?? alarm.changed_ms ?? 0;
  const label = name(alarm.name);
  const lines = useMemo(() => trend.value?.series.map((series) => ({ series, label, point })) ?? [], [trend.value, label, point]);
  return (
    <section class="stack">
      <div class="row">
        <h3 class="grow">{shared('details.trend')}</h3>
        {link && (
          <a class="button plain" href={link}>
            {shared('details.open-trend')}
          </a>
        )}
      </div>
      {trend.value ? (
        <TrendChart
          lines={lines}
          transitions={trend.value.transitions}
          cut={trend.value.transitions_cut}
          from_ms={middle - AROUND_MS}
          to_ms={middle + AROUND_MS}
          height_px={200}
        />
      ) : trend.failure ? (
        <Failed failure={trend.failure} stillTrue={shared('details.still-true')} onRetry={trend.again} />
      ) : (
        <Skeleton lines={5} />
      )}
    </section>
  );
}

function History({ alarm, around, history }: { alarm: Alarm; around: Surroundings; history: Loaded<readonly Transition[]> }) {
  const point = around.point(alarm);
  if (!history.value) return history.failure ? <Failed failure={history.failure} stillTrue={shared('details.still-true')} onRetry={history.again} /> : <Skeleton lines={4} />;
  if (history.value.length === 0) return <Empty why={shared('details.no-history')} />;
  return (
    <ol class="history">
      {history.value.map((transition) => (
        <li key={transition.seq}>
          <time class="muted">{dateTime(transition.time_ms).slice(5)}</time>
          <span>
            <span class="strong">{shared.orCode('transition', transition.cause)}</span>
            {transition.from !== transition.to && <span class="muted"> → {shared.orCode('state', transition.to)}</span>}
            {transition.value !== null && (
              <span class="number">
                {' '}
                {point ? figure(transition.value, point) : transition.value} {point?.states ? '' : alarm.unit}
              </span>
            )}
            {transition.value_cause && <span class="text-fault"> {shared.orCode('cause', transition.value_cause)}</span>}
            {transition.actor && <span> {around.who(transition.actor, alarm)}</span>}
            {transition.reason && <span class="muted"> “{transition.reason}”</span>}
            {transition.late && <span class="tag">{shared('time.late')}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
