import type { Kind } from '../alarm/state';
import type { Point, Value } from '../api/shape';
import './value.css';

/** Where a value stands between the ends of its range, with its limits as ticks. A picture beside the number, so hidden from screen readers. */
export function Bar({ value, point, kind }: { value: Value | null; point: Point; kind: Kind | null }) {
  if (point.states || point.high <= point.low) return <div />;
  const share = (figure: number): number => Math.min(1, Math.max(0, (figure - point.low) / (point.high - point.low)));
  const here = value?.value ?? null;
  return (
    <div class="bar live" data-kind={here === null ? 'fault' : (kind ?? undefined)} aria-hidden="true">
      {here !== null && <div class="fill" style={{ width: `${share(here) * 100}%` }} />}
      {point.limits.map((limit) => limit.set_point !== null && <div key={limit.alarm} class="tick" style={{ left: `${share(limit.set_point) * 100}%` }} />)}
    </div>
  );
}
