/** A description as a gateway of another maker may send it, with what a screen cannot do without. */

import type { Point } from '../api/shape';
import type { CitySite } from './shape';

/** Enough to tell one value from the next, where nobody said how precise the instrument is. */
const DECIMALS_OTHERWISE = 2;

type Given = { [K in keyof Point]: Point[K] | null };

export const complete = (site: CitySite): CitySite => ({ ...site, points: (site.points as Given[]).map(completePoint) });

/** A range of nothing (0 to 0) draws no bar. */
function completePoint(point: Given): Point {
  return { ...(point as Point), low: point.low ?? 0, high: point.high ?? 0, decimals: point.decimals ?? DECIMALS_OTHERWISE, limits: (point.limits ?? []).map((limit) => ({ ...limit, priority: limit.priority ?? 3 })) };
}
