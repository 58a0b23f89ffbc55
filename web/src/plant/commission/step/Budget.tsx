import { commission as say } from '../messages';
import type { BusBudget } from '../shape';

/** What each bus is asked for, what it can carry, and its slowest alarm: open where something cannot be met. */
export function Budget({ buses }: { buses: readonly BusBudget[] }) {
  if (buses.length === 0) return null;
  return (
    <details class="card form" open={buses.some(isOver)} data-budget>
      <summary>{say('budget.title')}</summary>
      <ul class="stack">
        {buses.map((bus) => (
          <li key={bus.bus} data-over={isOver(bus)}>
            <p>
              <span class="strong">{bus.bus}</span> {say.orCode('target', bus.kind)} {bus.baud}
            </p>
            <p class={bus.load > 1 ? 'text-fault strong' : ''}>{say('budget.load', { percent: percent(bus.load), scan: ms(bus.scan_ms), silence: ms(bus.scan_with_silence_ms) })}</p>
            {bus.tightest && (
              <p class={bus.tightest.worst_ms > bus.tightest.required_ms ? 'text-fault strong' : ''}>
                {say('budget.tightest', { alarm: bus.tightest.alarm, worst: ms(bus.tightest.worst_ms), required: ms(bus.tightest.required_ms) })}
              </p>
            )}
            <ul class="muted small">
              {bus.devices.map((poll) => (
                <li key={poll.device}>{say('budget.device', { device: poll.device, unit: poll.unit, reads: poll.reads, poll: ms(poll.poll_ms), period: ms(poll.period_ms) })}</li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </details>
  );
}

const isOver = (bus: BusBudget): boolean => bus.load > 1 || (bus.tightest !== null && bus.tightest.worst_ms > bus.tightest.required_ms);

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

/** Seconds where milliseconds would be many. */
const ms = (time: number): string => (time >= 10_000 ? `${(time / 1000).toFixed(1)} s` : `${time.toFixed(time < 10 ? 1 : 0)} ms`);
