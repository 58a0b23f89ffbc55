import { useMemo, useRef, useState } from 'preact/hooks';
import { address, go, link, parameter, set } from '../../address/address';
import { toggled } from '../../alarm/filter';
import { KINDS } from '../../alarm/state';
import { Shape } from '../../alarm/Symbol';
import { Button, Chip } from '../../control/Button';
import { Select } from '../../control/Field';
import { shared } from '../../i18n/shared';
import { useKeys } from '../../keys/keys';
import { Empty, Skeleton } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import { RiskMark } from '../RiskMark';
import { LINKS, RISKS } from '../shape';
import { byOrder, byTown, ORDERS, passesSite, readSiteFilter, sitesNow, totals, wrong, type Order, type SiteNow } from '../situation';
import { SiteList } from './SiteList';
import { TownGrid } from './TownGrid';
import './situation.css';

const VIEWS = ['list', 'grid'] as const;

/** Which site needs me? */
export function Situation() {
  const known = city.sites.value;
  const parameters = address.value.parameters;
  const filter = readSiteFilter(parameters);
  const order: Order = parameter('order') === 'risk' ? 'risk' : 'wrong';
  const view = parameter('view') === 'grid' ? 'grid' : 'list';
  const alarms = city.picture.alarms.value;
  const all = useMemo(() => sitesNow(known?.values() ?? [], alarms.values()).sort(byOrder(order)), [known, alarms, order]);
  const sites = all.filter((site) => passesSite(site, filter));
  const shown = view === 'grid' ? byTown(sites).flatMap((town) => town.sites) : sites;
  const [cursor, setCursor] = useState<string | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const step = (by: number): void => {
    const at = shown.findIndex((site) => site.id === cursor);
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
    if (!next) return;
    setCursor(next.id);
    document.querySelector(`[data-site="${CSS.escape(next.id)}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  useKeys({
    '/': () => search.current?.focus(),
    j: () => step(1),
    k: () => step(-1),
    Enter: () => cursor !== null && go(['site', cursor]),
  });
  if (!known) return <Skeleton lines={12} />;
  return (
    <div class="place situation">
      <div class="title">
        <h1 class="grow">{say('situation.title')}</h1>
        <div class="chips" role="group" aria-label={say('situation.order')}>
          {ORDERS.map((one) => (
            <Chip key={one} on={order === one} onToggle={() => set({ order: one === 'wrong' ? null : one })}>
              {say(`situation.order.${one}`)}
            </Chip>
          ))}
        </div>
        <div class="chips" role="group" aria-label={say('situation.view')}>
          {VIEWS.map((one) => (
            <Chip key={one} on={view === one} onToggle={() => set({ view: one === 'list' ? null : one })}>
              {say(`situation.view.${one}`)}
            </Chip>
          ))}
        </div>
      </div>
      {all.length > 0 && <Summary sites={all} />}
      {all.length > 0 && (
        <div class="chips no-print">
          <Chip on={filter.abnormal} onToggle={() => set({ now: filter.abnormal ? null : 'abnormal' })}>
            {say('situation.abnormal')} <span class="number muted">{all.filter((site) => wrong(site) !== 'calm').length}</span>
          </Chip>
          <span class="divider" aria-hidden="true" />
          {RISKS.map((risk) => (
            <Chip key={risk} on={filter.risks.includes(risk)} onToggle={() => set({ risk: toggled(filter.risks, risk) })}>
              <RiskMark risk={risk} /> <span class="number muted">{all.filter((site) => site.risk === risk).length}</span>
            </Chip>
          ))}
          <span class="divider" aria-hidden="true" />
          {LINKS.filter((one) => one !== 'up').map((one) => (
            <Chip key={one} on={filter.links.includes(one)} onToggle={() => set({ link: toggled(filter.links, one) })}>
              {shared(`link.${one}`)} <span class="number muted">{all.filter((site) => site.link === one).length}</span>
            </Chip>
          ))}
          <TownChoice sites={all} town={filter.town} />
          <input
            ref={search}
            class="input search"
            type="search"
            placeholder={say('situation.search')}
            aria-label={say('situation.search')}
            value={filter.text}
            onInput={(event) => set({ q: event.currentTarget.value })}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
          />
        </div>
      )}
      {all.length === 0 ? (
        <Empty why={say('situation.none')} next={say(city.user?.role === 'administrator' ? 'situation.none-next-administrator' : 'situation.none-next')} />
      ) : sites.length === 0 ? (
        <Empty why={say('situation.filtered')}>
          <Button onPress={() => set({ risk: null, link: null, now: null, town: null, q: null })}>{shared('alarms.show-all')}</Button>
        </Empty>
      ) : view === 'grid' ? (
        <TownGrid sites={sites} cursor={cursor} />
      ) : (
        <SiteList sites={sites} cursor={cursor} />
      )}
    </div>
  );
}

function TownChoice({ sites, town }: { sites: readonly SiteNow[]; town: string | null }) {
  const towns = [...new Set(sites.map((site) => site.town).filter(Boolean))].sort((a, b) => a.localeCompare(b, 'zh'));
  if (towns.length < 2) return null;
  const choices = [{ value: '', label: say('situation.all-towns') }, ...towns.map((one) => ({ value: one, label: one }))];
  return <Select label={say('situation.town')} value={town ?? ''} choices={choices} onChoose={(value) => set({ town: value })} />;
}

/** Alarms by priority over all sites, and how many sites are heard. */
function Summary({ sites }: { sites: readonly SiteNow[] }) {
  const sum = totals(sites);
  return (
    <div class="summary live">
      {KINDS.map((one) => {
        const count = sum.alarms[one];
        return (
          <a key={one} class="card" href={link('alarms', { kind: one })} data-none={count.unacknowledged + count.active === 0 || undefined}>
            <span class="head">
              <Shape kind={one} flashing={count.unacknowledged > 0} /> {shared(`priority.${one}`)}
            </span>
            <span class="figures">
              <span>
                <span class={count.unacknowledged > 0 ? `figure text-${one}` : 'figure'}>{count.unacknowledged}</span>
                <span class="muted small">{say('count.unacknowledged')}</span>
              </span>
              <span>
                <span class="figure second">{count.active}</span>
                <span class="muted small">{say('count.active')}</span>
              </span>
            </span>
          </a>
        );
      })}
      <div class="card" data-none={sum.links.down + sum.links.stale === 0 || undefined}>
        <span class="head">
          {sum.links.down + sum.links.stale > 0 && <Shape kind="fault" />} {say('count.sites')}
        </span>
        <span class="figures">
          {LINKS.map((one) => (
            <span key={one}>
              <span class={one !== 'up' && sum.links[one] > 0 ? 'figure text-fault' : 'figure'}>{sum.links[one]}</span>
              <span class="muted small">{shared(`link.${one}`)}</span>
            </span>
          ))}
        </span>
      </div>
    </div>
  );
}
