/** Data that a place asks for: on its way, here, or failed. What was here stays on the screen while it is asked for anew. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Failure, Outcome } from './call';

export interface Loaded<T> {
  value: T | null;
  failure: Failure | null;
  loading: boolean;
  again: () => Promise<void>;
}

/** Asks whenever `key` changes (null: asks nothing), and every `every_ms` where given. An answer to an older question is dropped. */
export function useLoaded<T>(key: string | null, ask: (signal: AbortSignal) => Promise<Outcome<T>>, every_ms?: number): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; value: T | null; failure: Failure | null; loading: boolean }>({ key, value: null, failure: null, loading: key !== null });
  const asking = useRef(ask);
  asking.current = ask;
  const running = useRef<AbortController | null>(null);

  const again = useCallback(async (): Promise<void> => {
    running.current?.abort();
    if (key === null) return;
    const controller = (running.current = new AbortController());
    setState((before) => ({ ...before, key, loading: true }));
    const outcome = await asking.current(controller.signal);
    if (controller.signal.aborted) return;
    setState((before) =>
      outcome.ok ? { key, value: outcome.value, failure: null, loading: false } : { key, value: before.value, failure: outcome.failure, loading: false },
    );
  }, [key]);

  useEffect(() => {
    setState({ key, value: null, failure: null, loading: key !== null });
    void again();
    const timer = every_ms === undefined ? null : setInterval(() => void again(), every_ms);
    return () => {
      if (timer !== null) clearInterval(timer);
      running.current?.abort();
    };
  }, [again, every_ms]);

  return { value: state.value, failure: state.failure, loading: state.loading, again };
}
