import { parameter, set } from '../../address/address';
import { Shape } from '../../alarm/Symbol';
import { useLoaded } from '../../api/loaded';
import { Ago } from '../../clock/Time';
import { dateTime, duration } from '../../clock/format';
import { now, nowExactly } from '../../clock/now';
import { Chip } from '../../control/Button';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { Failed, Skeleton } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import { coverage } from '../perDay';
import { DAY_MS, historyPath, readQuestion, type Range } from '../question';
import type { AlarmHistory, CitySite, DeviceNow, Gap } from '../shape';

const DAYS = [1, 7, 30] as const;

/** Is the record whole? Devices that answer, and every span of which it is not known to be. */
export function Coverage({ site }: { site: CitySite }) {
  const days = DAYS.find((one) => String(one) === parameter('days')) ?? 7;
  const loaded = useLoaded(`${site.id} ${days}`, (abort) => {
    const to_ms = nowExactly();
    const path = historyPath(readQuestion(new URLSearchParams({ site: site.id })), { from_ms: to_ms - days * DAY_MS, to_ms }, { limit: 1 });
    return city.get<AlarmHistory>(path, abort);
  });
  const range = { from_ms: now.value - days * DAY_MS, to_ms: now.value };
  return (
    <div class="two-columns">
      <section class="card">
        <header>
          <h2 class="grow">{say('coverage.record')}</h2>
          <div class="chips">
            {DAYS.map((one) => (
              <Chip key={one} on={days === one} onToggle={() => set({ days: one === 7 ? null : one })}>
                {shared('span.days', { count: one })}
              </Chip>
            ))}
          </div>
        </header>
        {loaded.value ? (
          <Record gaps={loaded.value.gaps} range={range} />
        ) : loaded.failure ? (
          <Failed failure={loaded.failure} stillTrue={say('record.still-true')} onRetry={loaded.again} />
        ) : (
          <Skeleton lines={5} />
        )}
      </section>
      <Devices devices={site.devices} />
    </div>
  );
}

function Record({ gaps, range }: { gaps: readonly Gap[]; range: Range }) {
  const share = coverage(gaps, range, range.to_ms);
  return (
    <div class="coverage">
      <p>
        <span class={share < 1 ? 'figure big text-fault' : 'figure big'}>{percent(share)}</span> <span class="muted">{say('coverage.share')}</span>
      </p>
      <Strip gaps={gaps} range={range} />
      <p class="small muted number ends">
        <span>{dateTime(range.from_ms)}</span>
        <span>{dateTime(range.to_ms)}</span>
      </p>
      {gaps.length === 0 ? (
        <p class="muted">{say('coverage.whole')}</p>
      ) : (
        <ul class="gaps">
          {gaps.map((gap) => (
            <li key={gap.from_ms}>
              <Shape kind="fault" size={14} />
              <span class="number">
                {dateTime(gap.from_ms)} … {gap.to_ms === null ? say('gap.open') : dateTime(gap.to_ms)}
              </span>
              <span class="number strong">{duration((gap.to_ms ?? range.to_ms) - gap.from_ms)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Rounded down: a record with a hole in it is never 100 %. */
const percent = (share: number): string => `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;

/** The span as a strip, each gap hatched where it lies. */
function Strip({ gaps, range }: { gaps: readonly Gap[]; range: Range }) {
  const whole = range.to_ms - range.from_ms;
  return (
    <div class="strip-of-record" role="img" aria-label={say('coverage.strip', { count: gaps.length })}>
      {gaps.map((gap) => {
        const left = Math.max(0, gap.from_ms - range.from_ms) / whole;
        const right = Math.min(whole, (gap.to_ms ?? range.to_ms) - range.from_ms) / whole;
        return <span key={gap.from_ms} style={{ left: `${left * 100}%`, width: `${Math.max(0, right - left) * 100}%` }} />;
      })}
    </div>
  );
}

function Devices({ devices }: { devices: readonly DeviceNow[] }) {
  const lost = devices.filter((device) => !device.online).length;
  return (
    <section class="card">
      <header>
        <h2 class="grow">{say('coverage.devices')}</h2>
        <span class="small muted number">{say('coverage.answering', { up: devices.length - lost, all: devices.length })}</span>
      </header>
      {devices.length === 0 ? (
        <p class="muted calm">{say('coverage.no-devices')}</p>
      ) : (
        <ul class="devices live">
          {[...devices]
            .sort((a, b) => Number(a.online) - Number(b.online))
            .map((device) => (
              <li key={device.id}>
                <span class="grow">
                  {name(device.name) || device.id} <span class="small muted">{device.id}</span>
                </span>
                <span class="link-state" data-state={device.online ? 'up' : 'down'}>
                  <span class="lamp" aria-hidden="true" />
                  {say(device.online ? 'device.online' : 'device.offline')}
                  {device.since_ms !== null && (
                    <span class="number">
                      <Ago ms={device.since_ms} />
                    </span>
                  )}
                </span>
              </li>
            ))}
        </ul>
      )}
    </section>
  );
}
