import type { ComponentChildren } from 'preact';
import { dateTime } from '../clock/format';
import { Lasting } from '../clock/Time';
import { shared } from '../i18n/shared';
import { kind } from '../alarm/state';
import { Mark, Shape } from '../alarm/Symbol';
import type { Condition, Priority } from '../api/shape';
import { percent, took } from './figures';
import type { Kpi } from './shape';
import type { Naming } from './KpiView';

interface ListProps {
  kpi: Kpi;
  naming: Naming;
}

export function Floods({ kpi }: { kpi: Kpi }) {
  return (
    <Listing title={shared('kpi.floods')} total={kpi.floods.total} heads={['kpi.flood.from', 'kpi.flood.to', 'kpi.annunciations', 'kpi.flood.most']}>
      {kpi.floods.list.map((flood) => (
        <tr key={flood.from_ms}>
          <th scope="row" class="number">{dateTime(flood.from_ms)}</th>
          <td class="number">{flood.to_ms === null ? <span class="strong">{shared('kpi.flood.lasting')}</span> : dateTime(flood.to_ms)}</td>
          <td class="number">{flood.annunciations}</td>
          <td class="number">{flood.most}</td>
        </tr>
      ))}
    </Listing>
  );
}

export function Sources({ kpi, naming }: ListProps) {
  return (
    <Listing title={shared('kpi.sources')} total={kpi.sources.list.length} heads={['kpi.alarm', 'kpi.count', 'kpi.share']}>
      {kpi.sources.list.map((source) => (
        <tr key={source.alarm}>
          <Alarm id={source.alarm} priority={source.priority} naming={naming} />
          <td class="number">{source.annunciations}</td>
          <td class="number">{percent(source.share)}</td>
        </tr>
      ))}
    </Listing>
  );
}

export function Standing({ kpi, naming }: ListProps) {
  return (
    <Listing title={shared('kpi.standing')} total={kpi.standing.total} heads={['kpi.alarm', 'kpi.standing.since', 'kpi.standing.until']}>
      {kpi.standing.list.map((alarm) => (
        <tr key={`${alarm.alarm} ${alarm.since_ms}`}>
          <Alarm id={alarm.alarm} priority={alarm.priority} naming={naming} />
          <td class="number">{alarm.since_ms === null ? shared('kpi.standing.before', { time: dateTime(kpi.from_ms) }) : dateTime(alarm.since_ms)}</td>
          <td class="number">
            {alarm.until_ms === null ? shared('kpi.standing.still') : dateTime(alarm.until_ms)}{' '}
            {alarm.since_ms !== null && (
              <span class="small muted">
                <Lasting from_ms={alarm.since_ms} to_ms={alarm.until_ms ?? kpi.to_ms} />
              </span>
            )}
          </td>
        </tr>
      ))}
    </Listing>
  );
}

export function Answers({ kpi }: { kpi: Kpi }) {
  return (
    <Listing title={shared('kpi.acknowledgement')} total={4} heads={['column.priority', 'kpi.acknowledged', 'kpi.waiting', 'kpi.median', 'kpi.p90']}>
      {kpi.acknowledgement.map((one) => (
        <tr key={one.priority}>
          <th scope="row">
            <span class="row">
              <Shape kind={one.priority} /> {shared(`priority.${one.priority}`)}
            </span>
          </th>
          <td class="number">{one.acknowledged}</td>
          <td class="number">{one.waiting}</td>
          <td class="number">{took(one.median_ms)}</td>
          <td class="number">{took(one.p90_ms)}</td>
        </tr>
      ))}
    </Listing>
  );
}

/** A screen that nobody was logged in at. */
const LOCAL = 'local';

export function People({ kpi, naming }: ListProps) {
  return (
    <Listing title={shared('kpi.people')} total={kpi.people.length} heads={['kpi.person', 'kpi.acknowledged', 'kpi.median', 'kpi.p90', 'kpi.shelved', 'kpi.silenced']}>
      {kpi.people.map((person) => (
        <tr key={person.actor}>
          <th scope="row">{person.actor === LOCAL ? shared('kpi.local') : naming.who(person.actor)}</th>
          <td class="number">{person.acknowledged}</td>
          <td class="number">{took(person.median_ms)}</td>
          <td class="number">{took(person.p90_ms)}</td>
          <td class="number">{person.shelved}</td>
          <td class="number">{person.silenced}</td>
        </tr>
      ))}
    </Listing>
  );
}

/** An alarm by its mark, name and id. */
export function Alarm({ id, priority, naming }: { id: string; priority: Priority; naming: Naming }) {
  const condition = id.slice(id.lastIndexOf('.') + 1);
  const named = naming.alarm(id);
  return (
    <th scope="row" class="named">
      <span class="row">
        <Mark kind={kind({ condition: condition as Condition, priority })} />
        <span class="strong">{named}</span> {shared.orCode('condition', condition)}
      </span>
      <span class="small muted">{id}</span>
    </th>
  );
}

type Head = Parameters<typeof shared>[0];

interface ListingProps {
  title: string;
  total: number;
  heads: readonly Head[];
  note?: string;
  children: ComponentChildren[];
}

/** A card with a table, or with the word that there is nothing. */
export function Listing({ title, total, heads, note, children }: ListingProps) {
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2 class="grow">{title}</h2>
        {total > 100 && <span class="small muted">{shared('kpi.more', { count: total })}</span>}
      </header>
      {children.length === 0 ? (
        <p class="pad muted">{shared('kpi.none')}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table class="table">
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {shared(head)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{children}</tbody>
          </table>
        </div>
      )}
      {note && children.length > 0 && <p class="pad small muted">{note}</p>}
    </section>
  );
}
