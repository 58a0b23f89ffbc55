import { useMemo } from 'preact/hooks';
import { address, go, link, parameter, set } from '../../address/address';
import { AlarmDetails, AROUND_MS } from '../../alarm/AlarmDetails';
import { AlarmList } from '../../alarm/AlarmList';
import { BulkAcknowledge } from '../../alarm/BulkAcknowledge';
import { ByUnit, useUnits } from '../../alarm/ByUnit';
import { NO_FILTER, passes, readFilter } from '../../alarm/filter';
import { Filters } from '../../alarm/Filters';
import { byUrgency } from '../../alarm/state';
import { done } from '../../api/call';
import { useLoaded } from '../../api/loaded';
import type { Alarm } from '../../api/shape';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { useKeys } from '../../keys/keys';
import { alarmKey } from '../../live/picture';
import { Empty, Skeleton } from '../../notice/Notice';
import { acts, around } from '../around';
import { plant as say } from '../messages';
import { plant } from '../plant';

/** The live list, and the one alarm that is open beside it. */
export function Alarms() {
  const map = plant.picture.alarms.value;
  const all = useMemo(() => [...map.values()].sort(byUrgency), [map]);
  const { parameters } = address.value;
  const filter = readFilter(parameters);
  const shown = useMemo(() => all.filter((alarm) => passes(alarm, readFilter(parameters))), [all, parameters]);
  const units = useUnits(shown, around.where, plant.site.value);
  const key = parameter('open');
  const open = (key !== null && map.get(key)) || null;
  useKeys({ Escape: () => set({ open: null }) });
  const areas = plant.site.value?.areas.map((area) => ({ value: area.id, label: name(area.name) })) ?? [];
  const unit = areas.find((area) => area.value === filter.area);
  return (
    <div class="alarm-place" data-open={open !== null || undefined}>
      <h2 class="hidden">{shared('alarms.title')}</h2>
      <Filters alarms={all} among={{ parameter: 'area', label: say('alarms.area'), all: say('alarms.all-areas'), choices: areas }}>
        <ByUnit flooding={plant.flood.value.since_ms !== null} />
        {unit && <BulkAcknowledge alarms={shown} unit={unit.label} acts={acts} />}
        <Button look="plain" icon label={shared('act.print')} onPress={() => print()}>
          <Icon name="print" />
        </Button>
      </Filters>
      <div class="alarm-split" data-open={open !== null || undefined}>
        {shown.length > 0 ? (
          <AlarmList alarms={shown} units={units} around={around} acts={acts} open={open && key} onOpen={openAlarm} onTrend={(alarm) => go('trend', { points: alarm.point })} />
        ) : (
          <div class="card">
            <Nothing all={all.length} />
          </div>
        )}
        {open && <Details key={key} alarm={open} />}
      </div>
    </div>
  );
}

const openAlarm = (alarm: Alarm): void => set({ open: alarmKey(alarm) }, parameter('open') === null ? 'push' : 'replace');

/** Why the list is empty; a stream that never spoke is not a calm plant. */
function Nothing({ all }: { all: number }) {
  if (plant.feed.state.value === 'connecting') return <Skeleton lines={8} />;
  if (all === 0) return <Empty why={shared('alarms.calm')} next={shared('alarms.calm-next')} />;
  return (
    <Empty why={shared('alarms.filtered')} next={shared('alarms.filtered-next', { count: all })}>
      <Button onPress={() => set(NO_FILTER)}>{shared('alarms.show-all')}</Button>
    </Empty>
  );
}

function Details({ alarm }: { alarm: Alarm }) {
  const { point } = alarm;
  const middle = alarm.raised_ms ?? alarm.changed_ms ?? 0;
  const trend = useLoaded(point && `${point} ${middle}`, (signal) => plant.trend([point ?? ''], middle - AROUND_MS, middle + AROUND_MS, 300, signal), 10_000);
  const history = useLoaded(`${alarm.id} ${alarm.seq}`, async (signal) => {
    const page = await plant.transitions(alarm.id, signal);
    return page.ok ? done(page.value.transitions) : page;
  });
  return (
    <AlarmDetails
      alarm={alarm}
      around={around}
      acts={acts}
      trend={point ? trend : null}
      history={history}
      trendLink={point && link('trend', { points: point, from: middle - AROUND_MS, to: middle + AROUND_MS })}
      onClose={() => set({ open: null })}
    />
  );
}
