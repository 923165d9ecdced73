import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { startEmulator, type Emulator } from '../../emulator/emulator.ts';
import { createPatience, type ActivityDeps } from '../../src/activities/deps.ts';
import { refreshToken } from '../../src/activities/refresh-token.ts';
import { syncSlice } from '../../src/activities/sync-slice.ts';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer } from '../../src/crypto/sealer.ts';
import type { SliceOutcome } from '../../src/domain/activities.ts';
import type { ScopeSettings } from '../../src/domain/scope.ts';
import { LOG, pgliteBackend, type Backend } from '../store/backend.ts';
import { eventsAfter, newTenant } from '../store/rounds.ts';
import { graphTo } from '../support/emulated-graph.ts';
import { FakeClock } from './slice-bench.ts';

const CONTEXT = { signal: new AbortController().signal, heartbeat: () => undefined };

interface Thing {
  readonly id: string;
  readonly [name: string]: unknown;
}

export interface Truth {
  readonly users: readonly Thing[];
  readonly groups: readonly Thing[];
  readonly memberships: readonly { readonly groupId: string; readonly memberId: string; readonly memberType: string }[];
}

/** Directories of an emulator, and tenants on a real store that are synced with them by the activities of production. */
export class EmulatedDirectories {
  readonly #folder: string;
  readonly #emulator: Emulator;
  readonly #agent: Agent;
  #tenants = 0;
  readonly backend: Backend;
  readonly deps: ActivityDeps;

  private constructor(folder: string, emulator: Emulator, agent: Agent, backend: Backend) {
    this.#folder = folder;
    this.#emulator = emulator;
    this.#agent = agent;
    this.backend = backend;
    this.deps = {
      store: backend.store,
      graph: graphTo(emulator, agent),
      sealer: createSealer(parseEncryptionKeys(`k:${randomBytes(32).toString('base64')}`)),
      log: LOG,
      clock: new FakeClock(),
      patience: createPatience(),
      fullSlices: { free: 1 },
      sliceBudgetMs: 60_000,
      syncIntervalMs: 1_000,
    };
  }

  static async open(): Promise<EmulatedDirectories> {
    const folder = await mkdtemp(join(tmpdir(), 'emulator-'));
    const backend = await pgliteBackend();
    const emulator = await startEmulator({ dataDir: folder });
    const agent = new Agent({ connect: { ca: await readFile(emulator.caFile) } });
    return new EmulatedDirectories(folder, emulator, agent, backend);
  }

  async close(): Promise<void> {
    await this.#agent.close();
    await this.#emulator.close();
    await this.backend.close();
    await rm(this.#folder, { recursive: true });
  }

  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#emulator.httpUrl}/_emulator${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** A tenant of its own directory, which consented. */
  async tenant(
    size: Readonly<Record<string, unknown>>,
    settings: { readonly groupsToSync?: readonly string[]; readonly scope?: ScopeSettings } = {},
  ): Promise<EmulatedTenant> {
    const domain = `tenant${++this.#tenants}.example`;
    const { id } = await this.control<{ id: string }>('POST', '/tenants', { domain, seed: this.#tenants, ...size });
    await this.control('POST', `/tenants/${id}/app/consent`, {});
    const { store } = this.backend;
    const created = await store.tenants.create(newTenant(domain, settings));
    if (created === 'name_taken') throw new Error('The name is taken');
    const { no } = created.tenant;
    await store.consents.bind(no, id);
    await store.tenants.record({ tenantNo: no, phase: 'syncing', paused: false, problem: null, taken: [] });
    await refreshToken(this.deps, { tenantNo: no }, CONTEXT);
    return new EmulatedTenant(this, no, `/tenants/${id}`);
  }
}

export class EmulatedTenant {
  readonly #all: EmulatedDirectories;
  readonly no: number;
  /** Where the emulator's control API has its directory. */
  readonly at: string;
  #cursor = '';

  constructor(all: EmulatedDirectories, no: number, at: string) {
    this.#all = all;
    this.no = no;
    this.at = at;
  }

  control<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#all.control(method, this.at + path, body);
  }

  async make(set: 'users' | 'groups', properties: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return (await this.control<Thing>('POST', `/${set}`, properties)).id;
  }

  join(group: string, ...ids: readonly string[]): Promise<unknown> {
    return this.control('POST', `/groups/${group}/members`, { ids });
  }

  leave(group: string, ...ids: readonly string[]): Promise<unknown> {
    return this.control('DELETE', `/groups/${group}/members`, { ids });
  }

  truth(): Promise<Truth> {
    return this.control('GET', '/truth');
  }

  /** A round to its end, as the workflow drives it. */
  async round(kind: 'full' | 'delta' = 'delta'): Promise<Extract<SliceOutcome, { outcome: 'completed' }>> {
    const { deps } = this.#all;
    this.#cursor = await deps.store.feed.head();
    const roundId = randomUUID();
    for (let n = 0; n < 100; n++) {
      const slice = await syncSlice(deps, { tenantNo: this.no, roundId, kind }, CONTEXT);
      if (slice.outcome === 'completed') return slice;
      if (slice.outcome === 'token_needed') await refreshToken(deps, { tenantNo: this.no }, CONTEXT);
      else if (slice.outcome !== 'unfinished') throw new Error(`The round ended as ${slice.outcome}`);
    }
    throw new Error('The round does not end');
  }

  /** What the last round told: `type subject reason`. */
  async told(): Promise<readonly string[]> {
    const events = await eventsAfter(this.#all.backend.store, this.#cursor, this.no);
    return events.map(({ type, subject, reason }) => [type, subject.id, reason].filter(Boolean).join(' '));
  }

  async mirror(): Promise<Truth> {
    const { directory } = this.#all.backend.store;
    const flat = ({ id, data }: { id: string; data: object }) => ({ ...data, id });
    return {
      users: (await directory.users(this.no, undefined, 10_000)).data.map(flat),
      groups: (await directory.groups(this.no, undefined, 10_000)).data.map(flat),
      memberships: (await directory.memberships(this.no, undefined, 50_000)).data,
    };
  }
}
