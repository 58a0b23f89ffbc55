import { link, type Parameters } from '../address/address';
import { AlarmDetails, AROUND_MS } from '../alarm/AlarmDetails';
import type { AlarmActs } from '../alarm/acts';
import type { Surroundings } from '../alarm/AlarmRow';
import { useLoaded } from '../api/loaded';
import type { Alarm, Transition } from '../api/shape';
import { nowExactly } from '../clock/now';
import { alarmKey } from '../live/picture';
import { city } from './city';

/** How often the trend beside an open alarm is drawn anew while it goes on. */
const RENEW_MS = 15_000;
const BUCKETS = 360;

interface AlarmSideProps {
  alarm: Alarm;
  around: Surroundings;
  acts: AlarmActs;
  onClose: () => void;
}

/** An open alarm: the trend around it and its own history are asked for here. */
export function AlarmSide({ alarm, around, acts, onClose }: AlarmSideProps) {
  const key = alarmKey(alarm);
  const middle = alarm.raised_ms ?? alarm.changed_ms ?? nowExactly();
  const goesOn = nowExactly() - middle < AROUND_MS;
  const { point } = alarm;
  const trend = useLoaded(
    point === null ? null : `${key}@${middle}`,
    (abort) => city.trend(alarm.site, [point ?? ''], middle - AROUND_MS, middle + AROUND_MS, BUCKETS, abort),
    goesOn ? RENEW_MS : undefined,
  );
  const history = useLoaded<readonly Transition[]>(`${key}#${alarm.seq}`, async (abort) => {
    const outcome = await city.transitions(alarm.site, alarm.id, {}, abort);
    return outcome.ok ? { ok: true, value: outcome.value.transitions } : outcome;
  });
  return (
    <AlarmDetails
      alarm={alarm}
      around={around}
      acts={acts}
      trend={point === null ? null : trend}
      history={history}
      trendLink={point === null ? null : link('trend', trendAround(alarm))}
      onClose={onClose}
    />
  );
}

/** Half an hour to either side of an alarm, as the trend's address has it. */
export function trendAround(alarm: Alarm): Parameters {
  const middle = alarm.raised_ms ?? alarm.changed_ms ?? nowExactly();
  return { site: alarm.site, points: alarm.point, from: Math.round(middle - AROUND_MS), to: Math.round(middle + AROUND_MS) };
}
