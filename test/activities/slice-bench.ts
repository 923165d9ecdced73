import { randomBytes } from 'node:crypto';
import type { SliceOutcome } from '../../src/domain/activities.ts';
import type { Feed } from '../../src/domain/directory.ts';
import { createPatience, type ActivityDeps, type Clock, type Log, type RunContext } from '../../src/activities/deps.ts';
import { syncSlice } from '../../src/activities/sync-slice.ts';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer } from '../../src/crypto/sealer.ts';
import { createGraph } from '../../src/graph/graph.ts';
import type { Store } from '../../src/store/store.ts';
import { json, scriptedFetch, type SeenRequest } from '../graph/scripted-fetch.ts';
import { boundTenant } from '../store/rounds.ts';

export const ORIGIN = 'https://graph.microsoft.com';
export const SYNC_INTERVAL_MS = 300_000;
export const CANARY = 'eyJjYW5hcnk.eyJjYW5hcnk';

type Answer = Response | (() => Response | Promise<Response>);

/** What the scripted Graph answers on each link: one answer after the other, the last one again and again. */
export class ScriptedGraph {
  readonly #answers = new Map<string, Answer[]>();
  readonly #fetch = scriptedFetch((request) => this.#answer(request));
  readonly fetch = this.#fetch.fetch;
  /** Called when a request arrives, before it is answered. */
  onRequest: (name: string, request: SeenRequest) => void | Promise<void> = () => undefined;

  /** A link of a feed by a short name: 'start', 'page 2', 'delta 1'; 'picked' is the start for some ids alone. */
  static link(feed: Feed, name: string): string {
    return `${ORIGIN}/v1.0/${feed}/delta?$token=${encodeURIComponent(name)}`;
  }

  on(feed: Feed, name: string, ...answers: Answer[]): this {
    this.#answers.set(`${feed} ${name}`, answers);
    return this;
  }

  /** Names of what was asked, in order. */
  get asked(): readonly string[] {
    return this.#fetch.seen.map(nameOf);
  }

  async #answer(request: SeenRequest): Promise<Response> {
    const name = nameOf(request);
    await this.onRequest(name, request);
    request.signal?.throwIfAborted();
    const answers = this.#answers.get(name);
    const answer = answers && answers.length > 1 ? answers.shift() : answers?.[0];
    if (!answer) throw new Error(`nothing is scripted for ${name}`);
    return typeof answer === 'function' ? answer() : answer.clone();
  }
}

function nameOf({ url }: SeenRequest): string {
  const { pathname, searchParams } = new URL(url);
  const start = searchParams.has('$filter') ? 'picked' : 'start';
  return `${pathname.split('/')[2]} ${searchParams.get('$token') ?? start}`;
}

/** A page that goes on at `next`, or ends the round with the deltaLink `delta`. */
export function page(
  feed: Feed,
  value: readonly unknown[],
  to: { readonly next: string } | { readonly delta: string },
): Response {
  const [kind, name] = 'next' in to ? ['nextLink', to.next] : ['deltaLink', to.delta];
  return json({ value, [`@odata.${kind}`]: ScriptedGraph.link(feed, name) });
}

export const status = (code: number, error: string, headers: Readonly<Record<string, string>> = {}) =>
  json({ error: { code: error, message: `about alice@contoso.com` } }, code, { 'request-id': 'req-1', ...headers });

/** A clock whose sleeps pass at once and are remembered. */
export class FakeClock implements Clock {
  #now = Date.now();
  readonly slept: number[] = [];

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
  }
}

/** One tenant on a real store, and slices of it under a scripted Graph. */
export class SliceBench {
  readonly graph = new ScriptedGraph();
  readonly clock = new FakeClock();
  readonly stop = new AbortController();
  readonly beats: unknown[] = [];
  readonly logged: unknown[] = [];
  readonly deps: ActivityDeps;
  readonly tenantNo: number;
  expiresAt = 0;

  private constructor(store: Store, tenantNo: number) {
    this.tenantNo = tenantNo;
    const write = (fields: object, message: string) => void this.logged.push({ ...fields, message });
    const log: Log = { debug: write, info: write, warn: write, error: write };
    const sealer = createSealer(parseEncryptionKeys(`k:${randomBytes(32).toString('base64')}`));
    const credential = { kind: 'secret', secret: 's' } as const;
    this.deps = {
      store,
      graph: createGraph({ clientId: 'app', credential, cloud: 'global', fetch: this.graph.fetch }),
      sealer,
      log,
      clock: this.clock,
      patience: createPatience(() => 0),
      fullSlices: { free: 1 },
      sliceBudgetMs: 60_000,
      syncIntervalMs: SYNC_INTERVAL_MS,
    };
  }

  static async open(store: Store): Promise<SliceBench> {
    const { no } = await boundTenant(store);
    const bench = new SliceBench(store, no);
    await bench.putToken(3_600_000);
    return bench;
  }

  async putToken(livesMs: number): Promise<void> {
    this.expiresAt = this.clock.now() + livesMs;
    const sealed = this.deps.sealer.seal(CANARY, `token/tenant/${this.tenantNo}`);
    await this.deps.store.tokens.put(this.tenantNo, sealed, new Date(this.expiresAt));
  }

  slice(roundId: string, kind: 'full' | 'delta' = 'delta', change: Partial<ActivityDeps> = {}): Promise<SliceOutcome> {
    const context: RunContext = {
      signal: this.stop.signal,
      heartbeat: (progress) => void this.beats.push(progress),
    };
    return syncSlice({ ...this.deps, ...change }, { tenantNo: this.tenantNo, roundId, kind }, context);
  }

  /** Both feeds in one page each, so that rounds by delta can follow. */
  async firstRound(users: readonly unknown[] = [], groups: readonly unknown[] = []): Promise<void> {
    this.graph.on('users', 'start', page('users', users, { delta: 'delta 1' }));
    this.graph.on('groups', 'start', page('groups', groups, { delta: 'delta 1' }));
    const outcome = await this.slice('first');
    if (outcome.outcome !== 'completed') throw new Error(`the first round ended as ${outcome.outcome}`);
    this.graph.on('users', 'delta 1', page('users', [], { delta: 'delta 1' }));
    this.graph.on('groups', 'delta 1', page('groups', [], { delta: 'delta 1' }));
  }

  async mirrored(): Promise<{ readonly users: readonly string[]; readonly groups: readonly string[] }> {
    const { directory } = this.deps.store;
    const [users, groups] = await Promise.all([
      directory.users(this.tenantNo, undefined, 1000),
      directory.groups(this.tenantNo, undefined, 1000),
    ]);
    return { users: users.data.map(({ id }) => id), groups: groups.data.map(({ id }) => id) };
  }
}
