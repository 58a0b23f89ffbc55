import { dateTime } from '../clock/format';
import { shared } from '../i18n/shared';
import { seconds } from './figures';
import type { Naming } from './KpiView';
import { Alarm, Listing } from './Lists';
import type { Kpi, Proposal, Signal } from './shape';

interface ChatteringProps {
  kpi: Kpi;
  naming: Naming;
}

/** What chatters, its numbers, and what would quieten it. */
export function Chattering({ kpi, naming }: ChatteringProps) {
  const { chattering, signals } = kpi;
  const heads = ['kpi.alarm', 'kpi.count', 'kpi.chattering.episodes', 'kpi.chattering.last', 'kpi.proposal'] as const;
  return (
    <Listing title={shared('kpi.chattering')} total={chattering.total} heads={heads} note={shared('kpi.proposal.note')}>
      {chattering.list.map((one) => (
        <tr key={one.alarm} data-chatters={one.alarm}>
          <Alarm id={one.alarm} priority={one.priority} naming={naming} />
          <td class="number" data-head={shared('kpi.count')}>
            {one.annunciations}
            <span class="below small muted">
              {shared('kpi.chattering.most', { window: chattering.window_s })} {one.most}
            </span>
          </td>
          <td class="number" data-head={shared('kpi.chattering.episodes')}>
            {one.episodes}
          </td>
          <td class="number" data-head={shared('kpi.chattering.last')}>
            {dateTime(one.from_ms)}
          </td>
          <td>
            <Said signal={signals.find((signal) => signal.alarm === one.alarm)} />
          </td>
        </tr>
      ))}
    </Listing>
  );
}

function Said({ signal }: { signal: Signal | undefined }) {
  if (!signal) return null;
  const { found, why, unit, decimals } = signal;
  if (!found) return <span class="muted">{why && shared.orCode('kpi.why', why)}</span>;
  return (
    <ul class="proposals">
      {found.proposals.map((proposal) => (
        <li key={proposal.parameter}>
          <span class="strong">{change(proposal, unit, decimals)}</span>
          <span class="small muted">
            {shared('kpi.proposal.effect', { trips: found.trips, after: proposal.trips_after })}
            {proposal.later_ms > 0 && `; ${shared('kpi.proposal.later', { seconds: seconds(proposal.later_ms) })}`}
          </span>
        </li>
      ))}
      {found.proposals.length === 0 && <li class="muted">{shared('kpi.proposal.nothing')}</li>}
      {found.peak_to_peak !== null && (
        <li class="small muted">{shared('kpi.proposal.signal', { peak: found.peak_to_peak.toFixed(decimals), unit, seconds: seconds(found.longest_return_ms) })}</li>
      )}
    </ul>
  );
}

function change({ parameter, now, proposed }: Proposal, unit: string, decimals: number): string {
  if (parameter === 'deadband') return shared('kpi.proposal.deadband', { now: now.toFixed(decimals), proposed: proposed.toFixed(decimals), unit });
  return shared(parameter === 'off-delay' ? 'kpi.proposal.off-delay' : 'kpi.proposal.on-delay', { now, proposed });
}
