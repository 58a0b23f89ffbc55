/** What the plant face knows, and its calls. One object, alive as long as the page. */

import { signal } from '@preact/signals';
import { call, get, post, query, type Failure, type Outcome } from '../api/call';
import { Feed } from '../api/feed';
import type { Alarm, Horn, Output, Trend, Value } from '../api/shape';
import { nowExactly, setClock } from '../clock/now';
import { Picture } from '../live/picture';
import { NO_FLOOD, type Flood } from '../kpi/shape';
import type { Links, Person, PlantKpi, PlantSite, Snapshot, SystemNow, TransitionPage } from './shape';

const QUIET: Horn = { sounding: false, priority: null, silenced: false };
/** How often what changes slowly is asked for. */
const SYSTEM_EVERY_MS = 10_000;
const SITE_RETRY_MS = 3_000;

class Plant {
  readonly site = signal<PlantSite | null>(null);
  readonly siteFailure = signal<Failure | null>(null);
  readonly outputs = signal<ReadonlyMap<string, Output>>(new Map());
  readonly horn = signal<Horn>(QUIET);
  readonly links = signal<Links | null>(null);
  readonly flood = signal<Flood>(NO_FLOOD);
  readonly person = signal<Person | null>(null);
  readonly system = signal<SystemNow | null>(null);
  readonly systemFailure = signal<Failure | null>(null);
  readonly picture = new Picture();
  readonly feed = new Feed('/api/events', {
    snapshot: (data) => this.#takeSnapshot(data as Snapshot),
    values: (data) => this.picture.takeValues(data as Value[]),
    alarm: (data) => this.picture.takeAlarm(data as Alarm),
    output: (data) => this.#takeOutput(data as Output),
    horn: (data) => void (this.horn.value = data as Horn),
    links: (data) => void (this.links.value = data as Links),
    tick: (data) => this.#takeTick(data as { time_ms: number; flood?: Flood }),
  });

  start(): void {
    this.feed.start();
    void this.loadSite();
    void this.askWho();
    void this.#askSystem();
    setInterval(() => void this.#askSystem(), SYSTEM_EVERY_MS);
  }

  /** Loads the site's description, and again until it comes: without it nothing has a name. */
  async loadSite(): Promise<void> {
    if (!(await this.askSite())) setTimeout(() => void this.loadSite(), SITE_RETRY_MS);
  }

  /** The site as it is now: another one may have been applied. */
  async askSite(): Promise<boolean> {
    const outcome = await get<PlantSite>('/api/site');
    this.siteFailure.value = outcome.ok ? null : outcome.failure;
    if (outcome.ok) this.site.value = outcome.value;
    return outcome.ok;
  }

  silence = (): Promise<Outcome<void>> => post<void>('/api/silence');

  trend(points: readonly string[], from_ms: number, to_ms: number, buckets: number, signal?: AbortSignal): Promise<Outcome<Trend>> {
    const range = query({ points: points.join(','), from_ms: Math.round(from_ms), to_ms: Math.round(Math.min(to_ms, nowExactly())), buckets });
    return get<Trend>(`/api/trend?${range}`, signal ? { signal } : {});
  }

  transitions(alarm: string, signal?: AbortSignal): Promise<Outcome<TransitionPage>> {
    return get<TransitionPage>(`/api/transitions?${query({ alarm, limit: 50 })}`, signal ? { signal } : {});
  }

  kpi(from_ms: number, to_ms: number, signal?: AbortSignal): Promise<Outcome<PlantKpi>> {
    return get<PlantKpi>(`/api/kpi?${query({ from_ms, to_ms })}`, signal ? { signal } : {});
  }

  async logIn(person: string, pin: string): Promise<Outcome<Person>> {
    const outcome = await post<{ person: Person } | undefined>('/api/session', { person, pin });
    if (!outcome.ok) return outcome;
    await this.askWho();
    const known = this.person.value ?? outcome.value?.person ?? null;
    return known ? { ok: true, value: known } : { ok: false, failure: { status: 401, code: 'not-logged-in', message: '', detail: null } };
  }

  async logOut(): Promise<void> {
    await call('DELETE', '/api/session');
    this.person.value = null;
  }

  /** An act on an alarm; the new state also comes by the stream, whichever is first. */
  async act(alarm: Alarm, act: string, body: object = {}): Promise<Outcome<Alarm>> {
    const outcome = await post<Alarm>(`/api/alarms/${encodeURIComponent(alarm.id)}/${act}`, body);
    if (outcome.ok) this.picture.takeAlarm(outcome.value);
    return outcome;
  }

  /** A person demands what a manual cause switches, or withdraws it. */
  async byHand(id: string, act: 'demand' | 'withdraw', reason: string): Promise<Outcome<Alarm>> {
    const outcome = await post<Alarm>(`/api/alarms/${encodeURIComponent(id)}/${act}`, { reason });
    if (outcome.ok) this.picture.takeAlarm(outcome.value);
    return outcome;
  }

  async resetOutput(id: string): Promise<Outcome<Output>> {
    const outcome = await post<Output>(`/api/outputs/${encodeURIComponent(id)}/reset`);
    if (outcome.ok) this.#takeOutput(outcome.value);
    return outcome;
  }

  #takeSnapshot(snapshot: Snapshot): void {
    setClock(snapshot.time_ms);
    this.#followSite();
    this.picture.replace(snapshot.alarms, snapshot.values);
    this.outputs.value = new Map(snapshot.outputs.map((output) => [output.id, output]));
    this.horn.value = snapshot.horn;
    this.links.value = snapshot.links;
    this.flood.value = snapshot.flood ?? NO_FLOOD;
  }

  /** A new stream may be that of another site, applied meanwhile on this page or elsewhere. */
  #followSite(): void {
    if (this.site.peek() === null) return;
    void this.askSite();
    void this.askWho();
  }

  #takeTick({ time_ms, flood = NO_FLOOD }: { time_ms: number; flood?: Flood }): void {
    setClock(time_ms);
    const { count, since_ms } = this.flood.peek();
    if (flood.count !== count || flood.since_ms !== since_ms) this.flood.value = flood;
  }

  #takeOutput(output: Output): void {
    this.outputs.value = new Map(this.outputs.value).set(output.id, output);
  }

  /** Who is logged in: a restart logs everybody out. */
  async askWho(): Promise<void> {
    const outcome = await get<{ person: Person | null }>('/api/session');
    if (outcome.ok) this.person.value = outcome.value.person;
  }

  async #askSystem(): Promise<void> {
    const outcome = await get<SystemNow>('/api/system');
    this.systemFailure.value = outcome.ok ? null : outcome.failure;
    if (outcome.ok) this.system.value = outcome.value;
  }
}

export const plant = new Plant();
