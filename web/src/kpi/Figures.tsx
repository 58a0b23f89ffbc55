import type { ComponentChildren } from 'preact';
import { dateTime } from '../clock/format';
import { shared } from '../i18n/shared';
import { Shape } from '../alarm/Symbol';
import { decimal, percent } from './figures';
import type { Kpi, Verdict } from './shape';

/** Every figure beside its target. */
export function Targets({ kpi }: { kpi: Kpi }) {
  const { rate, intervals, floods, sources, standing, chattering } = kpi;
  const below = (value: string | number): string => shared('kpi.below', { value });
  return (
    <table class="table kpi-targets">
      <thead>
        <tr>
          <th scope="col">{shared('kpi.figure')}</th>
          <th scope="col">{shared('kpi.found')}</th>
          <th scope="col">{shared('kpi.target')}</th>
          <th scope="col">{shared('kpi.verdict')}</th>
        </tr>
      </thead>
      <tbody>
        <Line of="rate" name={shared('kpi.rate')} target={shared('kpi.rate.target')} verdict={rate.verdict} more={rate.worst_from_ms === null ? '' : shared('kpi.rate.worst', { count: rate.worst, time: dateTime(rate.worst_from_ms) })}>
          {decimal(rate.average, 2)}
        </Line>
        <Line of="intervals" name={shared('kpi.intervals')} target={below('1 %')} verdict={intervals.verdict} more={shared('kpi.of', { over: intervals.over, total: intervals.total })}>
          {percent(intervals.share)}
        </Line>
        <Line of="floods" name={shared('kpi.flood-time')} target={below('1 %')} verdict={floods.verdict} more={shared('kpi.flood-count', { count: floods.total })}>
          {percent(floods.share)}
        </Line>
        <Line of="sources" name={shared('kpi.sources-share')} target={shared('kpi.at-most', { value: '5 %' })} verdict={sources.verdict} more={sources.verdict === 'unjudged' ? shared('kpi.sources-few') : ''}>
          {percent(sources.share)}
        </Line>
        <Line of="standing" name={shared('kpi.standing-day')} target={below(standing.target)} verdict={standing.verdict}>
          {standing.worst_day}
        </Line>
        <Line of="chattering" name={shared('kpi.chattering')} target={String(chattering.target)} verdict={chattering.verdict} more={shared('kpi.chattering.rule', { count: chattering.count, window: chattering.window_s })}>
          {chattering.total}
        </Line>
        {kpi.priorities.map(({ priority, share, target, verdict, annunciations }) => (
          <Line
            key={priority}
            of={`priority-${priority}`}
            name={
              <span class="row">
                <Shape kind={priority} /> {shared(`priority.${priority}`)}
              </span>
            }
            target={priority === 1 ? below('1 %') : shared('kpi.about', { value: percent(target) })}
            verdict={verdict}
            more={shared('group.count', { count: annunciations })}
          >
            {percent(share)}
          </Line>
        ))}
      </tbody>
    </table>
  );
}

interface LineProps {
  of: string;
  name: ComponentChildren;
  target: string;
  verdict: Verdict;
  more?: string;
  children: ComponentChildren;
}

function Line({ of, name, target, verdict, more, children }: LineProps) {
  return (
    <tr data-figure={of} data-verdict={verdict}>
      <th scope="row">{name}</th>
      <td class="number">
        <span class="strong">{children}</span> {more && <span class="small muted">{more}</span>}
      </td>
      <td class="number muted">{target}</td>
      <td>
        <VerdictMark verdict={verdict} />
      </td>
    </tr>
  );
}

/** A word in a frame: a figure is no alarm, and never looks like one. */
function VerdictMark({ verdict }: { verdict: Verdict }) {
  return <span class={`verdict ${verdict}`}>{shared(`kpi.verdict.${verdict}`)}</span>;
}
