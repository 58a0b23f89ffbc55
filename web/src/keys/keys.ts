/** The keyboard. One map; the place on top of the stack answers first, and typing in a field is never a command. */

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

const stack: { current: KeyMap }[] = [];

/** True while the page of help is open. */
export const helpOpen = signal(false);

/** Answers keys while the component is on the page. Keys are as `KeyboardEvent.key` names them: `j`, `Enter`, `Escape`, `?`. */
export function useKeys(map: KeyMap): void {
  const held = useRef(map);
  held.current = map;
  useEffect(() => {
    stack.push(held);
    return () => void stack.splice(stack.indexOf(held), 1);
  }, []);
}

/** Listens; call once at the start. */
export function runKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    // A dialog that is open takes every key, Escape by itself: a command behind it would act unseen.
    if (document.querySelector('dialog[open]')) return;
    const found = [...stack].reverse().find((map) => map.current[event.key]);
    if (!found) return;
    event.preventDefault();
    found.current[event.key]?.(event);
  });
}

function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target || event.key === 'Escape') return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  // Enter and space belong to the button or link that has the focus.
  return (event.key === 'Enter' || event.key === ' ') && target.closest('button, a, summary') !== null;
}
