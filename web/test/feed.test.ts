import { beforeEach, expect, test } from 'vitest';
import { Feed, STALE_AFTER_MS } from '../src/api/feed';

/** A source that the test speaks for. */
class Spoken extends EventTarget {
  closed = false;
  close(): void {
    this.closed = true;
  }
  say(event: string, data: string): void {
    this.dispatchEvent(Object.assign(new Event(event), { data }));
  }
}

let now: number;
let opened: Spoken[];
let heard: unknown[];
let feed: Feed;
const last = (): Spoken => opened.at(-1) ?? new Spoken();

beforeEach(() => {
  now = 1_000;
  opened = [];
  heard = [];
  feed = new Feed('/api/events', { tick: (data) => heard.push(data) }, { now: () => now, open: () => (opened.push(new Spoken()), last() as unknown as EventSource) });
  feed.start();
  return () => feed.stop();
});

function pass(ms: number): void {
  now += ms;
  feed.check();
}

test('a stream is live from its first event and stale once it is silent for five seconds', () => {
  expect(feed.state.value).toBe('connecting');
  last().say('tick', '{"time_ms":1}');
  expect(feed.state.value).toBe('live');
  pass(STALE_AFTER_MS - 1);
  expect(feed.state.value).toBe('live');
  pass(1);
  expect(feed.state.value).toBe('stale');
  expect(feed.quiet_ms.value).toBe(5_000);
});

test('a stream that never spoke is stale too', () => {
  pass(STALE_AFTER_MS);
  expect(feed.state.value).toBe('stale');
});

test('a silent stream is opened anew, and the old one is not heard any more', () => {
  const first = last();
  pass(9_000);
  expect(opened.length).toBe(2);
  expect(first.closed).toBe(true);
  first.say('tick', '{"time_ms":1}');
  expect(heard).toEqual([]);
  last().say('tick', '{"time_ms":2}');
  expect(heard).toEqual([{ time_ms: 2 }]);
  expect(feed.state.value).toBe('live');
});

test('a garbled event is no sign of life', () => {
  pass(4_000);
  last().say('tick', '{"time_ms":');
  pass(1_000);
  expect(feed.state.value).toBe('stale');
});
