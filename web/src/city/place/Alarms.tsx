import { useEffect, useMemo } from 'preact/hooks';
import { address, go, link, parameter, set } from '../../address/address';
import { AlarmList } from '../../alarm/AlarmList';
import { BulkAcknowledge } from '../../alarm/BulkAcknowledge';
import { ByUnit, useUnits } from '../../alarm/ByUnit';
import { Filters } from '../../alarm/Filters';
import { passes, readFilter } from '../../alarm/filter';
import { byUrgency } from '../../alarm/state';
import type { Alarm } from '../../api/shape';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { useKeys } from '../../keys/keys';
import { alarmKey } from '../../live/picture';
import { Empty, Skeleton } from '../../notice/Notice';
import { AlarmSide, trendAround } from '../AlarmSide';
import { areaName, siteName, surroundings } from '../around';
import { city } from '../city';
import { city as say } from '../messages';

/** The live list over every site that the person may see. */
export function Alarms() {
  const alarms = city.picture.alarms.value;
  const open = parameter('open');
  const opened = open === null ? undefined : alarms.get(open);
  const followed = opened?.site ?? (city.sites.value?.size === 1 ? ([...city.sites.value.keys()][0] ?? null) : null);
  useWatch(followed);
  const around = useMemo(() => surroundings(followed), [followed]);
  const acts = city.acts();
  const all = useMemo(() => [...alarms.values()].sort(byUrgency), [alarms]);
  const parameters = address.value.parameters;
  const shown = useMemo(() => all.filter((alarm) => passes(alarm, readFilter(parameters))), [all, parameters]);
  const unit = unitOf(shown);
  const units = useUnits(shown, unitName, shown.map((alarm) => unitName(alarm)).join());
  useKeys({ Escape: () => set({ open: null }) });
  if (!city.sites.value) return <Skeleton lines={12} />;
  return (
    <div class="alarm-place" data-open={opened ? '' : undefined}>
      <h2 class="hidden">{shared('alarms.title')}</h2>
      <Filters alarms={all} among={{ parameter: 'site', label: say('situation.column.site'), all: say('alarms.all-sites'), choices: sitesOf(all) }}>
        <ByUnit flooding={floods(parameter('site'))} />
        {acts.acknowledge && unit && <BulkAcknowledge alarms={shown} unit={unit} acts={acts} />}
        <Button look="plain" icon label={shared('act.print')} onPress={() => print()}>
          <Icon name="print" />
        </Button>
      </Filters>
      <div class="alarm-split" data-open={opened ? '' : undefined}>
        {shown.length > 0 ? (
          <AlarmList alarms={shown} units={units} around={around} acts={acts} open={open} onOpen={openAlarm} onTrend={(alarm) => alarm.point !== null && go('trend', trendAround(alarm))} />
        ) : (
          <Nothing all={all} />
        )}
        {opened ? (
          <AlarmSide key={open} alarm={opened} around={around} acts={acts} onClose={() => set({ open: null })} />
        ) : (
          open !== null && <Gone open={open} />
        )}
      </div>
    </div>
  );
}

/** Whether the chosen site, or any of them, is in a flood. */
function floods(site: string | null): boolean {
  const sites = [...(city.sites.value?.values() ?? [])];
  return sites.some((one) => (site === null || one.id === site) && one.flood.since_ms !== null);
}

const openAlarm = (alarm: Alarm): void => set({ open: alarmKey(alarm) }, parameter('open') === null ? 'push' : 'replace');

/** The one unit that every listed alarm is of: an area of a site; null where they are of several. */
function unitOf(alarms: readonly Alarm[]): string | null {
  const [first, ...others] = alarms;
  if (!first || others.some((alarm) => alarm.site !== first.site || alarm.area !== first.area)) return null;
  return [siteName(first.site), areaName(first.site, first.area)].filter(Boolean).join(' · ');
}

const unitName = (alarm: Alarm): string => [siteName(alarm.site), areaName(alarm.site, alarm.area) || alarm.device].filter(Boolean).join(' · ');

/** Follows a site's values while the page stands. */
export function useWatch(site: string | null): void {
  useEffect(() => {
    city.watch(site);
    return () => city.watch(null);
  }, [site]);
}

function sitesOf(alarms: readonly Alarm[]): { value: string; label: string }[] {
  const ids = [...new Set(alarms.map((alarm) => alarm.site))];
  const chosen = parameter('site');
  if (chosen !== null && !ids.includes(chosen)) ids.push(chosen);
  return ids.map((id) => ({ value: id, label: siteName(id) })).sort((a, b) => a.label.localeCompare(b.label, 'zh'));
}

function Nothing({ all }: { all: readonly Alarm[] }) {
  return (
    <div class="card">
      {all.length === 0 ? (
        <Empty why={shared('alarms.calm')} next={say('alarms.calm-next')} />
      ) : (
        <Empty why={shared('alarms.filtered')} next={shared('alarms.filtered-next', { count: all.length })}>
          <Button onPress={() => set({ kind: null, state: null, site: null, area: null, q: null })}>{shared('alarms.show-all')}</Button>
        </Empty>
      )}
    </div>
  );
}

/** The alarm of a link is over: a colleague's address still says what it was, and the record has the rest. */
function Gone({ open }: { open: string }) {
  const slash = open.indexOf('/');
  const [site, alarm] = [open.slice(0, slash), open.slice(slash + 1)];
  const point = city.model(site)?.points.find((candidate) => alarm.startsWith(`${candidate.id}.`));
  return (
    <div class="card">
      <Empty why={say('alarms.gone', { alarm: `${siteName(site)} ${point ? name(point.name) : ''} ${alarm}` })}>
        <div class="row">
          <a class="button" href={link('record', { site, days: 7 })}>
            {say('alarms.gone-record')}
          </a>
          <Button onPress={() => set({ open: null })}>{shared('act.close')}</Button>
        </div>
      </Empty>
    </div>
  );
}
