import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import { useState } from 'preact/hooks';
import './control.css';

interface ButtonProps {
  children: ComponentChildren;
  /** What it does; a promise makes the button wait for it, so that an act is never sent twice. */
  onPress?: () => unknown;
  look?: 'main' | 'danger' | 'plain';
  /** An icon alone: `label` names it. */
  icon?: boolean;
  label?: string;
  title?: string;
  disabled?: boolean;
  type?: 'button' | 'submit';
  autoFocus?: boolean;
  pressed?: boolean;
}

export function Button({ children, onPress, look, icon, label, title, disabled, type = 'button', autoFocus, pressed }: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const press = async (event: TargetedMouseEvent<HTMLButtonElement>): Promise<void> => {
    event.stopPropagation();
    const waiting = onPress?.();
    if (!(waiting instanceof Promise)) return;
    setBusy(true);
    await waiting.finally(() => setBusy(false));
  };
  return (
    <button
      type={type}
      class={['button', look, icon && 'icon'].filter(Boolean).join(' ')}
      disabled={disabled || busy}
      aria-busy={busy}
      aria-label={label}
      aria-pressed={pressed}
      title={title ?? label}
      autofocus={autoFocus}
      onClick={(event) => void press(event)}
    >
      {children}
    </button>
  );
}

/** A filter that is on or off. */
export function Chip({ on, onToggle, children, label }: { on: boolean; onToggle: () => void; children: ComponentChildren; label?: string }) {
  return (
    <button type="button" class="chip" aria-pressed={on} aria-label={label} onClick={onToggle}>
      {children}
    </button>
  );
}
