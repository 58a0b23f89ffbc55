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

/**
 * How far the list has to move so that what stands at row `key` stays where it is, after the list changed. The row's neighbours have a say: a row that
 * was acknowledged goes to its new place alone, and the list must not run after it.
 */
export function held(before: readonly string[], after: readonly string[], key: string, row_px: number): number {
  const place = before.indexOf(key);
  const moves = [place - 1, place, place + 1].flatMap((was) => {
    const one = before[was];
    const is = place < 0 || one === undefined ? -1 : after.indexOf(one);
    return is < 0 ? [] : [is - was];
  });
  moves.sort((a, b) => a - b);
  const middle = moves.length === 2 ? smaller(moves) : (moves[(moves.length - 1) / 2] ?? 0);
  return middle * row_px;
}

const smaller = (moves: readonly number[]): number => moves.reduce((least, move) => (Math.abs(move) < Math.abs(least) ? move : least), Infinity);

/** The least scroll that brings a row into sight. */
export function reveal(row: number, scroll_px: number, height_px: number, row_px: number): number {
  const top = row * row_px;
  if (top < scroll_px) return top;
  return top + row_px > scroll_px + height_px ? top + row_px - height_px : scroll_px;
}

/**
 * How high the rows stand together. A list that is shorter than its place has nothing to scroll by: while rows have come above what is held, there is
 * room below, so that it can stay; the last row is never scrolled out of sight by it.
 */
export function bodyHeight(rows: number, { row_px, height_px, scroll_px, above }: { row_px: number; height_px: number; scroll_px: number; above: number }): number {
  const all = rows * row_px;
  const held = Math.min(scroll_px, above * row_px, Math.max(0, rows - 1) * row_px);
  return held > 0 ? Math.max(all, held + height_px) : all;
}
