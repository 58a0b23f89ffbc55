import type { ComponentChildren } from 'preact';
import type { Failure } from '../api/call';
import { Shape } from '../alarm/Symbol';
import { Button } from '../control/Button';
import { shared } from '../i18n/shared';
import './notice.css';

/** Grey lines of the size of what will come, so that nothing jumps when it does. */
export function Skeleton({ lines = 5 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{shared('notice.loading')}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} aria-hidden="true" />
      ))}
    </div>
  );
}

/** Nothing here: why, and what next. */
export function Empty({ why, next, children }: { why: string; next?: string; children?: ComponentChildren }) {
  return (
    <div class="notice">
      <div>
        <p class="strong">{why}</p>
        {next && <p class="muted">{next}</p>}
        {children}
      </div>
    </div>
  );
}

/** What failed, what is still true, and a way to try again. */
export function Failed({ failure, stillTrue, onRetry }: { failure: Failure; stillTrue?: string; onRetry?: () => unknown }) {
  return (
    <div class="notice" role="alert">
      <Shape kind="fault" size={20} />
      <div>
        <p class="strong">{sayFailure(failure)}</p>
        {stillTrue && <p class="muted">{stillTrue}</p>}
        {onRetry && <Button onPress={onRetry}>{shared('act.retry')}</Button>}
      </div>
    </div>
  );
}

/** A refusal beside the thing that was refused. */
export function Refusal({ failure }: { failure: Failure }) {
  return (
    <p class="refusal" role="alert">
      {sayFailure(failure)}
    </p>
  );
}

/** The message of the code; a code that is newer than this screen is said by itself, since the daemon's own words need not be in the person's language. */
export function sayFailure(failure: Failure): string {
  if (failure.code === 'bad-request') return shared('why.bad-request', { field: sayField(failure.detail) });
  const known = shared.orCode('why', failure.code);
  return known === failure.code ? shared('why.other', { code: failure.code }) : known;
}

/** What a bad request is about, in words; a field that has none is not shown by its code. */
function sayField(detail: unknown): string {
  const field = (detail as { field?: unknown } | null)?.field;
  const known = typeof field === 'string' ? shared.orCode('field', field) : '';
  return known === '' || known === field ? shared('field.other') : known;
}
