import { useState } from 'preact/hooks';
import { Mark } from '../alarm/Symbol';
import { Time } from '../clock/Time';
import { nowExactly } from '../clock/now';
import { Button } from '../control/Button';
import { shared } from '../i18n/shared';
import { sound } from './sound';

type Step = 'idle' | 'playing' | 'asking' | 'no-signal';
interface Proof {
  time_ms: number;
  heard: boolean;
}

const NAME = 'davy.sound-proofs';
/** A month of mornings. */
const KEPT = 31;

/** The morning's proof of a wall display: the screen measures that its sound leaves the page, and a person says that it was heard. Kept on this screen. */
export function SoundTest() {
  const [step, setStep] = useState<Step>('idle');
  const [proofs, setProofs] = useState(read);
  const play = async (): Promise<void> => {
    setStep('playing');
    const left = await sound.prove();
    if (!left) keep(false);
    setStep(left ? 'asking' : 'no-signal');
  };
  const keep = (heard: boolean): void => {
    const kept = [{ time_ms: nowExactly(), heard }, ...proofs].slice(0, KEPT);
    write(kept);
    setProofs(kept);
    setStep('idle');
  };
  const last = proofs[0];
  return (
    <div class="stack">
      <p class="row">
        {([1, 2, 3] as const).map((priority) => (
          <span key={priority} class="row">
            <span class="quiet">
              <Mark kind={priority} />
            </span>
            <span class="muted small">{shared(`horn.pattern.${priority}`)}</span>
          </span>
        ))}
      </p>
      {step === 'asking' ? (
        <p class="row" role="alert">
          {shared('horn.heard')}
          <Button look="main" onPress={() => keep(true)}>
            {shared('act.yes')}
          </Button>
          <Button onPress={() => keep(false)}>{shared('act.no')}</Button>
        </p>
      ) : (
        <p class="row">
          <Button onPress={play} disabled={step === 'playing'}>
            {shared(step === 'playing' ? 'horn.testing' : 'horn.test')}
          </Button>
          {step === 'no-signal' && <span class="text-fault">{shared('horn.no-signal')}</span>}
        </p>
      )}
      <p class="small muted">
        {last ? (
          <>
            {shared(last.heard ? 'horn.proved' : 'horn.not-proved')} <Time ms={last.time_ms} />
          </>
        ) : (
          shared('horn.never-proved')
        )}
      </p>
    </div>
  );
}

function read(): Proof[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(NAME) ?? '[]');
    return Array.isArray(kept) ? kept.filter((proof): proof is Proof => typeof proof?.time_ms === 'number' && typeof proof.heard === 'boolean') : [];
  } catch {
    return [];
  }
}

function write(proofs: Proof[]): void {
  try {
    localStorage.setItem(NAME, JSON.stringify(proofs));
  } catch {
    // Without storage the proof lives until the page closes.
  }
}
