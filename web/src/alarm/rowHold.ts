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
 * is scrolled. On top and without a pointer the list simply shows its newest.
 */
export function useRowHold(rows: RefObject<HTMLElement | null>, keys: readonly string[]): RowHold {
  const [view, setView] = useState({ scroll_px: 0, height_px: 800, row_px: 48, printing: false });
  const [above, setAbove] = useState(0);
  const before = useRef(keys);
  const pointer = useRef<string | null>(null);

  const measure = (): void => {
    const list = rows.current;
    if (!list) return;
    const row_px = parseFloat(getComputedStyle(list).getPropertyValue('--row')) || 48;
    const height_px = list.clientHeight - headOf(list);
    setView((old) => {
      const next = { ...old, scroll_px: list.scrollTop, height_px, row_px };
      return next.scroll_px === old.scroll_px && next.height_px === old.height_px && next.row_px === old.row_px ? old : next;
    });
    if (list.scrollTop < row_px / 2) setAbove(0);
  };

  useLayoutEffect(() => {
    const [was, list] = [before.current, rows.current];
    before.current = keys;
    if (!list || was === keys) return;
    const firstInSight = list.scrollTop > 0 ? was[Math.floor(list.scrollTop / view.row_px)] : undefined;
    const anchor = pointer.current !== null && keys.includes(pointer.current) ? pointer.current : firstInSight;
    const moved = anchor === undefined ? null : held(was, keys, anchor, view.row_px);
    if (moved === null) return;
    list.scrollTop += moved;
    if (moved > 0) setAbove((count) => Math.min(keys.length, count + Math.round(moved / view.row_px)));
    measure();
  });

  useEffect(() => {
    const list = rows.current;
    if (!list) return;
    const watcher = new ResizeObserver(measure);
    watcher.observe(list);
    const print = (printing: boolean) => (): void => setView((old) => ({ ...old, printing }));
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
    ...view,
    above,
    onScroll: measure,
    onPointerMove: (event) => {
      // A finger scrolls and is gone; only a mouse rests on a row.
      if (event.pointerType !== 'mouse') return;
      pointer.current = (event.target as Element).closest<HTMLElement>('[data-key]')?.dataset['key'] ?? null;
    },
    onPointerLeave: () => void (pointer.current = null),
    reveal: (row) => {
      const list = rows.current;
      if (list) list.scrollTop = reveal(row, list.scrollTop, list.clientHeight - headOf(list), view.row_px);
    },
    toTop: () => {
      pointer.current = null;
      rows.current?.scrollTo({ top: 0 });
    },
  };
}

/** The column heads stay above the rows and cover that much of the list. */
const headOf = (list: HTMLElement): number => list.querySelector<HTMLElement>('.head')?.offsetHeight ?? 0;
