import { afterEach, expect, test, vi } from 'vitest';
import { get, post, query } from '../src/api/call';

afterEach(() => {
  vi.unstubAllGlobals();
});

function answering(status: number, body: string | null): void {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status })));
}

test('a refusal is a value with its code', async () => {
  answering(409, '{"error":"newer-occurrence","message":"it tripped again","detail":null}');
  expect(await post('/x')).toEqual({ ok: false, failure: { status: 409, code: 'newer-occurrence', message: 'it tripped again', detail: null } });
});

test('an answer that is no JSON, a proxy’s page and no answer at all are values too', async () => {
  answering(200, '<html>');
  expect(await get('/x')).toMatchObject({ ok: false, failure: { code: 'garbled' } });
  answering(502, '<html>');
  expect(await get('/x')).toMatchObject({ ok: false, failure: { status: 502, code: 'status-502' } });
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed')));
  expect(await get('/x')).toMatchObject({ ok: false, failure: { status: 0, code: 'offline' } });
});

test('an answer without content is done', async () => {
  answering(204, null);
  expect(await post('/x')).toEqual({ ok: true, value: undefined });
});

test('a question leaves out what is absent', () => {
  expect(query({ a: 1, b: null, c: undefined, d: '', e: 'x y' })).toBe('a=1&e=x+y');
});
