/** Calls of the interface. A call never throws: what went wrong is a value that the screen can tell to a person. */

export interface Failure {
  /** 0: no answer came (offline, timed out, or an answer that is no JSON). */
  status: number;
  /** The stable code of docs/api.md; `offline`, `timeout` or `garbled` where none came. */
  code: string;
  message: string;
  detail: unknown;
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export const done = <T>(value: T): Outcome<T> => ({ ok: true, value });

/** An answer later than this is no answer: a person waits at the screen. */
const TIMEOUT_MS = 15_000;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** `language` goes out as `Accept-Language`, so that a message of the daemon comes in the person's language. */
export interface CallOptions {
  body?: unknown;
  signal?: AbortSignal;
  language?: string;
}

export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<Outcome<T>> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    const response = await fetch(path, { ...request(method, options), signal });
    return response.ok ? await answer<T>(response) : await refusal(response);
  } catch {
    const code = timeout.aborted ? 'timeout' : options.signal?.aborted ? 'aborted' : 'offline';
    return failed(0, code);
  }
}

export const get = <T>(path: string, options?: CallOptions): Promise<Outcome<T>> => call<T>('GET', path, options);
export const post = <T>(path: string, body: unknown = {}): Promise<Outcome<T>> => call<T>('POST', path, { body });

/** `a=1&b=x`, leaving out what is absent. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, String(value));
  }
  return parameters.toString();
}

function request(method: Method, options: CallOptions): RequestInit {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.language) headers['accept-language'] = options.language;
  if (options.body === undefined) return { method, headers, credentials: 'same-origin' };
  headers['content-type'] = 'application/json';
  return { method, headers, credentials: 'same-origin', body: JSON.stringify(options.body) };
}

async function answer<T>(response: Response): Promise<Outcome<T>> {
  if (response.status === 204) return done(undefined as T);
  try {
    return done((await response.json()) as T);
  } catch {
    return failed(0, 'garbled');
  }
}

async function refusal(response: Response): Promise<Outcome<never>> {
  try {
    const body = (await response.json()) as { error?: unknown; message?: unknown; detail?: unknown };
    const code = typeof body.error === 'string' ? body.error : `status-${response.status}`;
    return failed(response.status, code, typeof body.message === 'string' ? body.message : '', body.detail ?? null);
  } catch {
    return failed(response.status, `status-${response.status}`);
  }
}

function failed(status: number, code: string, message = '', detail: unknown = null): Outcome<never> {
  return { ok: false, failure: { status, code, message, detail } };
}
