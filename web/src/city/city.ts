/** What the city face knows, and its calls. One object, alive as long as the page. */

import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { AlarmActs } from '../alarm/acts';
import { call, query, type Failure, type Outcome } from '../api/call';
import { Feed, type FeedState } from '../api/feed';
import type { Alarm, Horn, Transition, Trend, Value } from '../api/shape';
import { nowExactly, setClock } from '../clock/now';
import { language } from '../i18n/language';
import { alarmKey, Picture, pointKey } from '../live/picture';
import { remembered } from '../theme/remembered';
import { complete } from './complete';
import { Orders } from './orders';
import { hornOf, silence, stillSilenced, type Silenced } from './ring';
import type { CitySite, CitySnapshot, Demand, Refused, SiteOverview, TransitionPage, User } from './shape';

/** `asking`: not known yet. `unreachable`: nobody answers who one is. */
export type Session =
  | { state: 'asking' }
  | { state: 'out'; why: 'none' | 'ended' | 'left' }
  | { state: 'unreachable'; failure: Failure }
  | { state: 'in'; user: User };

/** While the stream is silent, how often the session is asked after: an ended one looks like a broken link. */
const PROBE_EVERY_MS = 6_000;
/** Descriptions of sites held at once; beyond it the oldest goes and is asked for again where it is shown. */
const MODELS_MAX = 500;
/** Descriptions asked for at the same time. */
const MODELS_AT_ONCE = 2;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

class City {
  readonly session = signal<Session>({ state: 'asking' });
  /** By id; null until the first snapshot. */
  readonly sites = signal<ReadonlyMap<string, SiteOverview> | null>(null);
  /** Descriptions of sites, as far as they were asked for. */
  readonly models = signal<ReadonlyMap<string, CitySite>>(new Map());
  /** Of the watched site's outputs, as the stream tells them, by `pointKey`. */
  readonly demands = signal<ReadonlyMap<string, Demand>>(new Map());
  readonly picture = new Picture();
  readonly orders = new Orders();
  readonly feed = signal<Feed>(this.#feed(null));
  readonly feedState: ReadonlySignal<FeedState> = computed(() => this.feed.value.state.value);
  /** Whether this screen sounds; whoever only looks up records wants no horn. */
  readonly loud = signal(false);
  readonly #loudKept = remembered('city-horn', ['on', 'off'], 'off');
  readonly #silenced = signal<Silenced | null>(null);
  readonly horn: ReadonlySignal<Horn> = computed(() => hornOf(this.picture.alarms.value.values(), this.#silenced.value));
  #watched: string | null = null;
  #wanted: string | null = null;
  readonly #asked = new Set<string>();
  readonly #queue: string[] = [];
  #asking = 0;

  get user(): User | null {
    return this.session.value.state === 'in' ? this.session.value.user : null;
  }

  start(): void {
    this.loud.value = this.#loudKept.value === 'on';
    void this.askWho();
    setInterval(() => void this.#probe(), PROBE_EVERY_MS);
    effect(() => {
      const still = stillSilenced(this.picture.alarms.value.values(), this.#silenced.peek());
      if (still !== this.#silenced.peek()) this.#silenced.value = still;
    });
  }

  /** Calls; a session that ended shows itself here too. */
  async ask<T>(method: Method, path: string, body?: unknown, abort?: AbortSignal): Promise<Outcome<T>> {
    const outcome = await call<T>(method, path, { body, language: language.value, ...(abort ? { signal: abort } : {}) });
    if (!outcome.ok && outcome.failure.code === 'not-logged-in') this.#leave('ended');
    return outcome;
  }

  get = <T>(path: string, abort?: AbortSignal): Promise<Outcome<T>> => this.ask<T>('GET', path, undefined, abort);

  async askWho(): Promise<void> {
    const outcome = await call<{ user: User }>('GET', '/api/session');
    if (outcome.ok) this.#enter(outcome.value.user);
    else if (outcome.failure.status === 401) this.session.value = { state: 'out', why: 'none' };
    else this.session.value = { state: 'unreachable', failure: outcome.failure };
  }

  async logIn(user: string, password: string): Promise<Outcome<void>> {
    const outcome = await call<{ user: User }>('POST', '/api/session', { body: { user, password }, language: language.value });
    if (!outcome.ok) return outcome;
    this.#enter(outcome.value.user);
    return { ok: true, value: undefined };
  }

  logOut = async (): Promise<void> => {
    await call('DELETE', '/api/session');
    this.#leave('left');
  };

  /** Also the values of this site; null follows none. The last wish of a moment counts, so that going from place to place opens one stream. */
  watch(site: string | null): void {
    this.#wanted = site;
    setTimeout(() => this.#wanted !== this.#watched && this.user && this.#open(this.#wanted), 0);
  }

  setLoud(loud: boolean): void {
    this.loud.value = loud;
    this.#loudKept.keep(loud ? 'on' : 'off');
  }

  silence = (): Promise<void> => {
    this.#silenced.value = silence(this.picture.alarms.value.values());
    return Promise.resolve();
  };

  /** A site's description, asked for at its first mention. */
  model(site: string): CitySite | null {
    const known = this.models.value.get(site);
    if (!known && !this.#asked.has(site)) {
      this.#asked.add(site);
      this.#queue.push(site);
      queueMicrotask(() => this.#askModels());
    }
    return known ?? null;
  }

  async site(id: string, abort?: AbortSignal): Promise<Outcome<CitySite>> {
    const outcome = await this.get<CitySite>(`/api/sites/${encodeURIComponent(id)}`, abort);
    return outcome.ok ? { ok: true, value: complete(outcome.value) } : outcome;
  }

  keepModel(site: CitySite): void {
    this.#asked.add(site.id);
    const models = new Map(this.models.value);
    models.delete(site.id);
    models.set(site.id, site);
    for (const oldest of models.keys()) {
      if (models.size <= MODELS_MAX) break;
      models.delete(oldest);
      this.#asked.delete(oldest);
    }
    this.models.value = models;
  }

  trend(site: string, points: readonly string[], from_ms: number, to_ms: number, buckets: number, abort?: AbortSignal): Promise<Outcome<Trend>> {
    const range = query({ points: points.join(','), from_ms: Math.round(from_ms), to_ms: Math.round(Math.min(to_ms, nowExactly())), buckets });
    return this.get<Trend>(`/api/sites/${encodeURIComponent(site)}/trend?${range}`, abort);
  }

  /** The journal of one alarm, newest first. */
  transitions(site: string, alarm: string, span: { from_ms?: number; to_ms?: number; limit?: number } = {}, abort?: AbortSignal): Promise<Outcome<TransitionPage>> {
    return this.get<TransitionPage>(`/api/history/transitions?${query({ site, alarm, limit: 50, ...span })}`, abort);
  }

  /** What this person may do to alarms; a regulator acts on nothing. */
  acts(): AlarmActs {
    if (this.user?.role === 'regulator' || !this.user) return {};
    return {
      acknowledge: (alarm, note) => this.#order(alarm, 'acknowledge', { occurrence: alarm.occurrence, note }),
      shelve: (alarm, { minutes, reason, second }) =>
        this.#order(alarm, 'shelve', { minutes, reason, second: second && { user: second.who, password: second.secret } }),
      unshelve: (alarm) => this.#order(alarm, 'unshelve', {}),
    };
  }

  #order(alarm: Alarm, act: string, body: object): Promise<Outcome<void>> {
    const path = `/api/sites/${encodeURIComponent(alarm.site)}/alarms/${encodeURIComponent(alarm.id)}/${act}`;
    return this.orders.run(alarmKey(alarm), act, () => this.ask<{ command: string }>('POST', path, body));
  }

  #enter(user: User): void {
    this.session.value = { state: 'in', user };
    this.#open(this.#wanted);
  }

  #leave(why: 'ended' | 'left'): void {
    if (this.session.value.state !== 'in') return;
    this.feed.value.stop();
    this.session.value = { state: 'out', why };
    // The next person at this screen may see less.
    this.picture.replace([], []);
    this.demands.value = new Map();
    this.sites.value = null;
    this.models.value = new Map();
    this.#asked.clear();
    this.#queue.length = 0;
  }

  #open(site: string | null): void {
    this.feed.value.stop();
    this.#watched = site;
    this.feed.value = this.#feed(site);
    this.feed.value.start();
  }

  #feed(site: string | null): Feed {
    return new Feed(site === null ? '/api/events' : `/api/events?${query({ site })}`, {
      snapshot: (data) => this.#takeSnapshot(data as CitySnapshot),
      values: (data) => this.picture.takeValues(data as Value[]),
      demands: (data) => this.#takeDemands(this.demands.value, data as Demand[]),
      alarm: (data) => this.picture.takeAlarm(data as Alarm),
      transition: (data) => this.orders.takeTransition(data as Transition),
      site: (data) => this.#takeSite(data as SiteOverview),
      refused: (data) => this.orders.takeRefused(data as Refused),
      tick: (data) => setClock((data as { time_ms: number }).time_ms),
    });
  }

  #takeSnapshot(snapshot: CitySnapshot): void {
    setClock(snapshot.time_ms);
    this.sites.value = new Map(snapshot.sites.map((site) => [site.id, site]));
    this.picture.replace(snapshot.alarms, snapshot.values);
    this.#takeDemands(new Map(), snapshot.demands);
  }

  #takeDemands(held: ReadonlyMap<string, Demand>, newer: Demand[]): void {
    this.demands.value = new Map([...held, ...newer.map((one): [string, Demand] => [pointKey(one.site ?? '', one.output), one])]);
  }

  #takeSite(site: SiteOverview): void {
    this.sites.value = new Map(this.sites.value ?? []).set(site.id, site);
  }

  async #probe(): Promise<void> {
    if (this.session.value.state === 'unreachable') return this.askWho();
    if (!this.user || this.feedState.value !== 'stale') return;
    const outcome = await this.get<{ sites: SiteOverview[] }>('/api/overview');
    // A stream of a site that this person may see no more would never open again.
    if (outcome.ok && this.#watched !== null && !outcome.value.sites.some((site) => site.id === this.#watched)) this.#open(null);
  }

  #askModels(): void {
    while (this.#asking < MODELS_AT_ONCE) {
      const site = this.#queue.shift();
      if (site === undefined) return;
      this.#asking += 1;
      void this.site(site).then((outcome) => {
        this.#asking -= 1;
        if (outcome.ok) this.keepModel(outcome.value);
        this.#askModels();
      });
    }
  }
}

export const city = new City();
