/** What the horn plays: three patterns that an ear tells apart. Each is one period of a loop. */

import type { Priority } from '../api/shape';

export interface Tone {
  /** 0: silence. */
  hz: number;
  seconds: number;
}

const FAST_TWO_TONE: Tone[] = [{ hz: 1000, seconds: 0.125 }, { hz: 750, seconds: 0.125 }];
const SLOW_TWO_TONE: Tone[] = [{ hz: 800, seconds: 0.5 }, { hz: 600, seconds: 0.5 }];
const SINGLE: Tone[] = [{ hz: 660, seconds: 0.3 }, { hz: 0, seconds: 2.7 }];

/** P1 fast two-tone, P2 slow two-tone, all others a single tone. */
export function pattern(priority: Priority): readonly Tone[] {
  if (priority === 1) return FAST_TWO_TONE;
  return priority === 2 ? SLOW_TWO_TONE : SINGLE;
}

/** One period as samples between -1 and 1. Tones begin and end softly: a hard edge is a click, and clicks tire. */
export function samples(tones: readonly Tone[], rate: number): Float32Array<ArrayBuffer> {
  const all = new Float32Array(tones.reduce((sum, tone) => sum + Math.round(tone.seconds * rate), 0));
  const edge = Math.round(0.008 * rate);
  let at = 0;
  for (const { hz, seconds } of tones) {
    const length = Math.round(seconds * rate);
    for (let sample = 0; hz > 0 && sample < length; sample++) {
      const softness = Math.min(1, sample / edge, (length - 1 - sample) / edge);
      const phase = (2 * Math.PI * hz * sample) / rate;
      // The third overtone carries through the noise of a control room.
      all[at + sample] = softness * (0.75 * Math.sin(phase) + 0.25 * Math.sin(3 * phase));
    }
    at += length;
  }
  return all;
}
