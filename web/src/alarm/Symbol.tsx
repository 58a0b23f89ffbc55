import type { Alarm } from '../api/shape';
import { shared } from '../i18n/shared';
import { SHAPES } from './shapes';
import { kind as kindOf, unacknowledged, type Kind } from './state';
import './symbol.css';

export interface SymbolProps {
  kind: Kind;
  /** Flashes, under 3 Hz: someone must acknowledge. */
  flashing?: boolean;
  size?: number;
}

/** The bare shape; whoever draws it puts the word beside it or names it to screen readers. */
export function Shape({ kind, flashing = false, size = 16 }: SymbolProps) {
  return (
    <svg class={`symbol kind-${kind}`} data-flashing={flashing || undefined} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[kind]} />
    </svg>
  );
}

/** Shape and word: `▲ 紧急`. */
export function Mark({ kind, flashing, size }: SymbolProps) {
  return (
    <span class={`mark text-${kind}`}>
      <Shape kind={kind} flashing={flashing ?? false} size={size ?? 16} />
      {shared(`priority.${kind}`)}
    </span>
  );
}

/** The mark of an alarm as it stands now. */
export function AlarmMark({ alarm }: { alarm: Alarm }) {
  return <Mark kind={kindOf(alarm)} flashing={unacknowledged(alarm)} />;
}
