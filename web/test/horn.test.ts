import { expect, test } from 'vitest';
import { pattern, samples } from '../src/horn/pattern';

test('the three patterns differ, and the more urgent changes its tone the faster', () => {
  expect(pattern(1).map((tone) => tone.hz)).not.toEqual(pattern(2).map((tone) => tone.hz));
  expect(pattern(1)[0]?.seconds).toBeLessThan(pattern(2)[0]?.seconds ?? 0);
  expect(pattern(3).filter((tone) => tone.hz > 0).length).toBe(1);
  expect(pattern(4)).toBe(pattern(3));
});

test('a period is as long as its tones, within the range of the device, and begins and ends in silence', () => {
  for (const priority of [1, 2, 3] as const) {
    const wave = samples(pattern(priority), 8000);
    const seconds = pattern(priority).reduce((sum, tone) => sum + tone.seconds, 0);
    expect(wave.length).toBe(Math.round(seconds * 8000));
    const loudest = wave.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(loudest).toBeGreaterThan(0.5);
    expect(loudest).toBeLessThanOrEqual(1);
    expect(Math.abs(wave[0] ?? 1) + Math.abs(wave.at(-1) ?? 1)).toBe(0);
  }
});
