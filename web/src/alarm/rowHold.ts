import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import { held, reveal } from './window';

export interface RowHold {
  scroll_px: number;
  height_px: number;
  row_px: number;
  /** Rows that came above what the person looks at. */
  above: number;
  /** While the page is printed every row is drawn. */
  printing: boolean;
  onScroll: () => void;
  onPointerMove: (event: PointerEvent) => void;
  onPointerLeave: () => void;
  reveal: (row: number) => void;
  toTop: () => void;
}

/**
 * Keeps the row that a person reaches for where it is while alarms come and go: the row under the pointer, or else the first in sight once the list
 * is scrolled. On top and without a pointer the list simply shows its newest. Where the list will stand is reckoned before it is drawn, so that rows
 * which stay in sight are never taken away and put back.
 */
export function useRowHold(rows: RefObject<HTMLElement | null>, keys: readonly string[]): RowHold {
  const [size, setSize] = useState({ height_px: 800, row_px: 48, printing: false });
  const [, drawAgain] = useState(0);
  const scroll_px = useRef(0);
  const above = useRef(0);
  const before = useRef(keys);
  const pointer = useRef<string | null>(null);
  /** Set while the list has to be scrolled to `scroll_px` after this drawing. */
  const due = useRef(false);

  if (before.current !== keys) {
    const moved = shift(before.current, keys, pointer.current, scroll_px.current, size.row_px);
    before.current = keys;
    if (moved !== 0) {
      scroll_px.current = Math.max(0, scroll_px.current + moved);
      above.current = Math.min(keys.length, Math.max(0, above.current + Math.round(moved / size.row_px)));
      due.current = true;
    }
  }

  useLayoutEffect(() => {
    if (!due.current) return;
    due.current = false;
    if (rows.current) rows.current.scrollTop = scroll_px.current;
  });

  const onScroll = (): void => {
    const list = rows.current;
    if (!list || due.current) return;
    const row = (px: number): number => Math.floor(px / size.row_px);
    const changed = row(list.scrollTop) !== row(scroll_px.current);
    scroll_px.current = list.scrollTop;
    if (list.scrollTop < size.row_px / 2 && above.current > 0) above.current = 0;
    if (changed) drawAgain((count) => count + 1);
  };

  useEffect(() => {
    const list = rows.current;
    if (!list) return;
    const measure = (): void => {
      const row_px = parseFloat(getComputedStyle(list).getPropertyValue('--row')) || 48;
      const height_px = list.clientHeight - headOf(list);
      setSize((old) => (old.height_px === height_px && old.row_px === row_px ? old : { ...old, height_px, row_px }));
    };
    const watcher = new ResizeObserver(measure);
    watcher.observe(list);
    const print = (printing: boolean) => (): void => setSize((old) => ({ ...old, printing }));
    const [begin, end] = [print(true), print(false)];
    addEventListener('beforeprint', begin);
    addEventListener('afterprint', end);
    return () => {
      watcher.disconnect();
      removeEventListener('beforeprint', begin);
      removeEventListener('afterprint', end);
    };
  }, []);

  return {
    ...size,
    scroll_px: scroll_px.current,
    above: above.current,
    onScroll,
    onPointerMove: (event) => {
      // A finger scrolls and is gone; only a mouse rests on a row.
      if (event.pointerType !== 'mouse') return;
      pointer.current = (event.target as Element).closest<HTMLElement>('[data-key]')?.dataset['key'] ?? null;
    },
    onPointerLeave: () => void (pointer.current = null),
    reveal: (row) => {
      const list = rows.current;
      if (list) list.scrollTop = reveal(row, list.scrollTop, size.height_px, size.row_px);
    },
    toTop: () => {
      pointer.current = null;
      rows.current?.scrollTo({ top: 0 });
    },
  };
}

/** How far the list has to move so that what the person looks at stays. */
function shift(was: readonly string[], is: readonly string[], pointed: string | null, scroll_px: number, row_px: number): number {
  const firstInSight = scroll_px > 0 ? was[Math.floor(scroll_px / row_px)] : undefined;
  const anchor = pointed !== null && was.includes(pointed) ? pointed : firstInSight;
  return anchor === undefined ? 0 : held(was, is, anchor, row_px);
}

/** The column heads stay above the rows and cover that much of the list. */
const headOf = (list: HTMLElement): number => list.querySelector<HTMLElement>('.head')?.offsetHeight ?? 0;
