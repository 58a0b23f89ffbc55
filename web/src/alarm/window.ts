/** Which rows of a long list are drawn: those in sight and a few beyond. Rows are of equal height, so that a flood never moves what a hand reaches for. */

export interface Sight {
  /** First row drawn, and the row after the last. */
  from: number;
  to: number;
}

/** Rows drawn beyond each edge, so that a quick flick finds them. */
const BEYOND = 6;

export function sight(scroll_px: number, height_px: number, row_px: number, rows: number): Sight {
  const from = Math.max(0, Math.floor(scroll_px / row_px) - BEYOND);
  const to = Math.min(rows, Math.ceil((scroll_px + height_px) / row_px) + BEYOND);
  return { from: Math.min(from, rows), to };
}

/** Where to scroll so that row `key` stays under the pointer after the list changed; null where it is gone or need not move. */
export function held(before: readonly string[], after: readonly string[], key: string, row_px: number): number | null {
  const [was, is] = [before.indexOf(key), after.indexOf(key)];
  return was < 0 || is < 0 || was === is ? null : (is - was) * row_px;
}

/** The least scroll that brings a row into sight. */
export function reveal(row: number, scroll_px: number, height_px: number, row_px: number): number {
  const top = row * row_px;
  if (top < scroll_px) return top;
  return top + row_px > scroll_px + height_px ? top + row_px - height_px : scroll_px;
}
