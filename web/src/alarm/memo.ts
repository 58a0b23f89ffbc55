import { createElement, type FunctionComponent, type VNode } from 'preact';
import { useRef } from 'preact/hooks';

/** Draws again only where a property changed by identity: a flood changes few rows, and the rest must cost nothing. */
export function memo<P extends object>(view: FunctionComponent<P>): FunctionComponent<P> {
  return function Held(properties: P) {
    const held = useRef<{ properties: P; drawn: VNode<P> } | null>(null);
    const kept = held.current;
    // The same element object tells Preact that nothing below it changed.
    if (kept !== null && same(kept.properties, properties)) return kept.drawn;
    const drawn = createElement(view, properties);
    held.current = { properties, drawn };
    return drawn;
  };
}

function same<P extends object>(a: P, b: P): boolean {
  const names = Object.keys(a) as (keyof P)[];
  return names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]));
}
