import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Outcome } from '../../src/api/call';
import type { Transition } from '../../src/api/shape';
import { ANSWER_WITHIN_MS, Orders } from '../../src/city/orders';

const KEY = 'tank-farm/GT-101.HH';
const sent = (command: string) => (): Promise<Outcome<{ command: string }>> => Promise.resolve({ ok: true, value: { command } });
const transition = (command: string | null): Transition => ({
  site: 'tank-farm', seq: 9, alarm: 'GT-101.HH', occurrence: 1, from: 'UNACK', to: 'ACKED', cause: 'acknowledge', time_ms: 1, value: null,
  value_cause: null, limit: null, priority: 1, actor: 'li', reason: null, late: false, command,
});
const refusal = (command: string, why: string) => ({ command, site: 'tank-farm', alarm: 'GT-101.HH', why });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an order is under way until the transition that answers it comes', async () => {
  const orders = new Orders();
  const answer = orders.run(KEY, 'acknowledge', sent('c1'));
  await vi.advanceTimersByTimeAsync(0);
  expect(orders.pending.value.get(KEY)).toBe('acknowledge');
  orders.takeTransition(transition(null));
  orders.takeTransition(transition('another'));
  expect(orders.pending.value.has(KEY)).toBe(true);
  orders.takeTransition(transition('c1'));
  expect((await answer).ok).toBe(true);
  expect(orders.pending.value.size).toBe(0);
});

test('an answer that is quicker than the 202 is not lost', async () => {
  const orders = new Orders();
  orders.takeTransition(transition('c1'));
  expect((await orders.run(KEY, 'acknowledge', sent('c1'))).ok).toBe(true);
});

test('a refusal comes back with its why, and silence of the gateway as a timeout of the gateway', async () => {
  const orders = new Orders();
  for (const [why, code] of [['newer-occurrence', 'newer-occurrence'], ['timeout', 'gateway-timeout']] as const) {
    const answer = orders.run(KEY, 'acknowledge', sent(why));
    await vi.advanceTimersByTimeAsync(0);
    orders.takeRefused(refusal(why, why));
    expect(await answer).toMatchObject({ ok: false, failure: { code } });
  }
});

test('a screen that hears nothing at all gives up by itself', async () => {
  const orders = new Orders();
  const answer = orders.run(KEY, 'acknowledge', sent('c1'));
  await vi.advanceTimersByTimeAsync(ANSWER_WITHIN_MS);
  expect(await answer).toMatchObject({ ok: false, failure: { code: 'gateway-timeout' } });
  expect(orders.pending.value.size).toBe(0);
});

test('what the city itself refuses waits for nothing', async () => {
  const failure = { status: 409, code: 'site-down', message: '', detail: null };
  const orders = new Orders();
  expect(await orders.run(KEY, 'shelve', () => Promise.resolve({ ok: false, failure }))).toEqual({ ok: false, failure });
  expect(orders.pending.value.size).toBe(0);
});

test('a second order for the same alarm is not sent while the first is under way', async () => {
  const orders = new Orders();
  const first = orders.run(KEY, 'acknowledge', sent('c1'));
  const post = vi.fn(sent('c2'));
  expect(await orders.run(KEY, 'acknowledge', post)).toMatchObject({ ok: false, failure: { code: 'under-way' } });
  expect(post).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(0);
  orders.takeTransition(transition('c1'));
  expect((await first).ok).toBe(true);
});

test('answers to orders of other screens are held within a bound', async () => {
  const orders = new Orders();
  for (let count = 0; count < 1_000; count++) orders.takeTransition(transition(`other-${count}`));
  const answer = orders.run(KEY, 'acknowledge', sent('other-0'));
  await vi.advanceTimersByTimeAsync(ANSWER_WITHIN_MS);
  expect((await answer).ok).toBe(false);
  expect((await orders.run(KEY, 'acknowledge', sent('other-999'))).ok).toBe(true);
});
