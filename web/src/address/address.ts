/** The view's state lives in its address, so that a colleague who gets the link sees the same. `/alarms?priority=1&open=GT-101.HH` */

import { signal, type ReadonlySignal } from '@preact/signals';

export interface Address {
  /** First part of the path; empty for the first place. */
  place: string;
  /** The parts of the path after it. */
  rest: string[];
  parameters: URLSearchParams;
}

const present = signal<Address>({ place: '', rest: [], parameters: new URLSearchParams() });
export const address: ReadonlySignal<Address> = present;

export function parse(url: URL): Address {
  const [place = '', ...rest] = url.pathname.split('/').filter(Boolean).map(decode);
  return { place, rest, parameters: url.searchParams };
}

/** A percent sign that begins no code is itself. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export type Parameters = Record<string, string | number | null | undefined>;

/** The address of a place, for `href`: `link('alarms', { open: id })`, `link(['site', id])`. */
export function link(place: string | string[], parameters: Parameters = {}): string {
  const path = (Array.isArray(place) ? place : [place]).map(encodeURIComponent).join('/');
  const text = changed(new URLSearchParams(), parameters).toString();
  return `/${path}${text ? `?${text}` : ''}`;
}

/** Goes to a place: a step that Back undoes. */
export function go(place: string | string[], parameters: Parameters = {}): void {
  move(link(place, parameters), 'push');
}

/** Changes parameters of the present view. `replace` (no step for Back) is for what changes as one types or drags. */
export function set(parameters: Parameters, step: 'push' | 'replace' = 'replace'): void {
  const text = changed(new URLSearchParams(present.value.parameters), parameters).toString();
  move(`${location.pathname}${text ? `?${text}` : ''}`, step);
}

/** One parameter, null where absent; a component that calls this follows it. */
export const parameter = (name: string): string | null => present.value.parameters.get(name);

/** Follows the browser's Back and Forward, and makes plain links of this application steps without a reload; call once at the start. */
export function runAddress(): void {
  const read = (): void => void (present.value = parse(new URL(location.href)));
  read();
  addEventListener('popstate', read);
  document.addEventListener('click', (event) => {
    const href = ownLink(event);
    if (href === null) return;
    event.preventDefault();
    move(href, 'push');
  });
}

function changed(into: URLSearchParams, parameters: Parameters): URLSearchParams {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || value === undefined || value === '') into.delete(name);
    else into.set(name, String(value));
  }
  return into;
}

function move(url: string, step: 'push' | 'replace'): void {
  if (step === 'push') history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  const before = present.value.place;
  present.value = parse(new URL(location.href));
  if (step === 'push' && present.value.place !== before) scrollTo(0, 0);
}

/** The address behind a click on a link of this application; null for any other click, and for those that open a new tab or a file. */
function ownLink(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const anchor = (event.target as Element | null)?.closest?.('a');
  const href = anchor?.getAttribute('href');
  if (!anchor || !href?.startsWith('/') || href.startsWith('/api/') || anchor.target || anchor.hasAttribute('download')) return null;
  return href;
}
