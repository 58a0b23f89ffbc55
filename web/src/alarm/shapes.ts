import type { Kind } from './state';

/** One shape a kind on a square of 16, so that colour is never the only cue: ▲ ◆ ■ ● and the outline ◇ of a system fault. */
export const SHAPES: Record<Kind, string> = {
  1: 'M8 1.5 15 14.5H1Z',
  2: 'M8 .8 15.2 8 8 15.2.8 8Z',
  3: 'M2 2h12v12H2Z',
  4: 'M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 1 0 8 1.2Z',
  fault: 'M8 1.8 14.2 8 8 14.2 1.8 8Z',
};
