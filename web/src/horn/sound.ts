/**
 * The one horn of a screen, by WebAudio. Patterns are looped buffers, so that a browser that slows the timers of a hidden page cannot slow the horn.
 * A browser that blocks sound until somebody touches the page is a fault that the strip shows.
 */

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Priority } from '../api/shape';
import { pattern, samples } from './pattern';

/** `absent`: this browser has no WebAudio. */
export type SoundState = 'ready' | 'blocked' | 'absent';

const VOLUME = 0.6;
/** Sound below this level at the end of the chain is silence. */
const AUDIBLE = 0.05;

class Sound {
  readonly #state = signal<SoundState>('blocked');
  #context: AudioContext | null = null;
  #meter: AnalyserNode | null = null;
  #playing: { priority: Priority; source: AudioBufferSourceNode } | null = null;
  #wanted: Priority | null = null;
  #testing = false;

  get state(): ReadonlySignal<SoundState> {
    return this.#state;
  }

  /** Opens the device, if the browser lets us; call again from a press of a button. */
  async open(): Promise<void> {
    if (typeof AudioContext === 'undefined') return void (this.#state.value = 'absent');
    if (!this.#context) this.#build(new AudioContext());
    // In a browser that waits for a touch this never answers, so nobody waits for it.
    void this.#context?.resume().catch(() => undefined);
    this.#follow();
  }

  /** What the horn shall play; null for silence. */
  play(priority: Priority | null): void {
    this.#wanted = priority;
    if (!this.#testing) this.#start(priority);
  }

  /** Plays the three patterns in turn and listens at the end of the chain: true where each gave sound. The horn's own duty goes on afterwards. */
  async prove(each_ms = 1500): Promise<boolean> {
    await this.open();
    if (this.#state.value !== 'ready' || this.#testing) return false;
    this.#testing = true;
    let heard = true;
    try {
      for (const priority of [1, 2, 3] as const) {
        this.#start(priority);
        heard = (await this.#listen(each_ms)) && heard;
      }
    } finally {
      this.#testing = false;
      this.#start(this.#wanted);
    }
    return heard;
  }

  #build(context: AudioContext): void {
    const meter = context.createAnalyser();
    const gain = context.createGain();
    gain.gain.value = VOLUME;
    gain.connect(meter);
    meter.connect(context.destination);
    this.#context = context;
    this.#meter = meter;
    context.addEventListener('statechange', () => this.#follow());
    const touch = (): void => void context.resume().catch(() => undefined);
    for (const event of ['pointerdown', 'keydown']) document.addEventListener(event, touch, { capture: true });
    this.#output = gain;
  }

  #output: GainNode | null = null;

  #follow(): void {
    this.#state.value = this.#context?.state === 'running' ? 'ready' : 'blocked';
  }

  #start(priority: Priority | null): void {
    if (this.#playing?.priority === priority) return;
    this.#playing?.source.stop();
    this.#playing?.source.disconnect();
    this.#playing = null;
    const [context, output] = [this.#context, this.#output];
    if (priority === null || !context || !output) return;
    const wave = samples(pattern(priority), context.sampleRate);
    const buffer = context.createBuffer(1, wave.length, context.sampleRate);
    buffer.copyToChannel(wave, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.loop = true;
    source.connect(output);
    source.start();
    this.#playing = { priority, source };
  }

  /** True where the loudest moment of the span is above silence. */
  #listen(span_ms: number): Promise<boolean> {
    const meter = this.#meter;
    if (!meter) return Promise.resolve(false);
    const wave = new Float32Array(meter.fftSize);
    let loudest = 0;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        meter.getFloatTimeDomainData(wave);
        for (const sample of wave) loudest = Math.max(loudest, Math.abs(sample));
      }, 50);
      setTimeout(() => (clearInterval(timer), resolve(loudest > AUDIBLE)), span_ms);
    });
  }
}

export const sound = new Sound();
