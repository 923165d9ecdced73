import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { startEmulator, type Emulator } from '../../emulator/emulator.ts';
import { createPatience, type ActivityDeps, type Clock } from '../../src/activities/deps.ts';
import { reconcileSlice } from '../../src/activities/reconcile-slice.ts';
import { refreshToken } from '../../src/activities/refresh-token.ts';
import { syncSlice } from '../../src/activities/sync-slice.ts';
import { verifyConsent } from '../../src/activities/verify-consent.ts';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer } from '../../src/crypto/sealer.ts';
import type { SliceOutcome } from '../../src/domain/activities.ts';
import { LOG, pgliteBackend, type Backend } from '../store/backend.ts';
import { newTenant } from '../store/rounds.ts';
import { graphTo } from '../support/emulated-graph.ts';

// Two workers on one database against an emulator that keeps budgets of resource units, on one clock that waits at once.

const USERS = 300;
const KEYS = `k:${randomBytes(32).toString('base64')}`;

let backend: Backend;
let emulator: Emulator;
let folder: string;
let agent: Agent;
let workers: readonly [ActivityDeps, ActivityDeps];
let tenantNo: number;
let directoryId: string;

/** The emulator's clock, for the product too: who sleeps moves both, once for all who sleep at the same time. */
const clock: Clock = {
  now: () => emulator.world.clock.now(),
  sleep: async (ms, signal) => {
    signal.throwIfAborted();
    const until = clock.now() + ms;
    await new Promise(setImmediate);
    emulator.world.clock.advance(Math.max(0, until - clock.now()));
  },
};
const context = { signal: new AbortController().signal, heartbeat: () => undefined };

function worker(): ActivityDeps {
  return {
    store: backend.store,
    graph: graphTo(emulator, agent),
    sealer: createSealer(parseEncryptionKeys(KEYS)),
    log: LOG,
    clock,
    patience: createPatience(),
    fullSlices: { free: 1 },
    sliceBudgetMs: 60_000,
    syncIntervalMs: 1_000,
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'emulator-'));
  backend = await pgliteBackend();
  emulator = await startEmulator({ dataDir: folder });
  agent = new Agent({ connect: { ca: await readFile(emulator.caFile) } });
  workers = [worker(), worker()];
}, 240_000);

afterAll(async () => {
  await agent.close();
  await emulator.close();
  await backend.close();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  const domain = `${randomUUID()}.com`;
  const delta = { usersPageSize: 10, groupsPageSize: 5 };
  const spec = { domain, users: USERS, groups: 40, memberships: 900, settings: { delta } };
  directoryId = (await control<{ id: string }>('POST', '/tenants', spec)).id;
  await control('POST', `/tenants/${directoryId}/app/consent`, {});
  const created = await backend.store.tenants.create(newTenant(domain));
  tenantNo = created === 'name_taken' ? 0 : created.tenant.no;
  await backend.store.consents.bind(tenantNo, directoryId);
  await refreshToken(workers[0], { tenantNo }, context);
  await verifyConsent(workers[0], { tenantNo }, context);
  await backend.store.tenants.record({ tenantNo, phase: 'syncing', paused: false, problem: null, taken: [] });
  await control('DELETE', '/requests');
});

async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${emulator.httpUrl}/_emulator${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

const limit = (resourceUnits: number, windowMs: number) =>
  control('PATCH', `/tenants/${directoryId}/settings`, { throttle: { resourceUnits, windowMs } });

/** How many requests the directory was asked, and how many of them it refused for its budget. */
async function asked(): Promise<{ readonly all: number; readonly refused: number }> {
  const { counts } = await control<{ counts: Record<string, Record<string, number>> }>('GET', '/requests');
  const entries = Object.entries(counts[directoryId] ?? {});
  const sum = (some: readonly (readonly [string, number])[]) => some.reduce((total, [, count]) => total + count, 0);
  return { all: sum(entries), refused: sum(entries.filter(([route]) => route.endsWith(' 429'))) };
}

const slice = (deps: ActivityDeps, roundId: string): Promise<SliceOutcome> =>
  syncSlice(deps, { tenantNo, roundId, kind: 'full' }, context);

/** A full round to its end, its slices on one worker after the other, as the workflow drives it. */
async function round(): Promise<void> {
  const roundId = randomUUID();
  for (let n = 0; n < 100; n++) {
    const done = await slice(workers[n % 2 === 0 ? 0 : 1], roundId);
    if (done.outcome === 'completed') return;
    if ('retryAfterMs' in done) emulator.world.clock.advance(done.retryAfterMs);
  }
  throw new Error('The round does not end');
}

async function mirrored(): Promise<readonly string[]> {
  const { data } = await backend.store.directory.users(tenantNo, undefined, 1_000);
  return data.map((user) => user.id).toSorted();
}

async function truth(): Promise<readonly string[]> {
  const { users } = await control<{ users: { id: string }[] }>('GET', `/tenants/${directoryId}/truth`);
  return users.map((user) => user.id).toSorted();
}

it('comes through a full round that needs several budgets, and is seldom refused', async () => {
  await limit(20, 10_000);
  const startedAt = clock.now();
  await round();
  expect(await mirrored()).toEqual(await truth());
  // 20 units are let through at once and as many in each window: it took more than that.
  expect(clock.now() - startedAt).toBeGreaterThan(10_000);
  const { all, refused } = await asked();
  expect(all).toBeGreaterThan(35);
  // 23 of 61 when the slice does not slow down by itself.
  expect(refused).toBeLessThanOrEqual(8);
});

it('lets no other worker ask before a stored wait is over', async () => {
  // So long a wait is none that a slice keeps itself.
  await limit(10, 600_000);
  const roundId = randomUUID();
  const [first, second] = workers;
  const held = await slice(first, roundId);
  expect(held).toMatchObject({ outcome: 'throttled', retryAfterMs: expect.any(Number) });
  const before = await asked();
  expect(before.refused).toBeGreaterThan(0);
  expect(await slice(second, roundId)).toMatchObject({ outcome: 'throttled' });
  await backend.store.reconcile.ask(tenantNo);
  await reconcileSlice(second, { tenantNo }, context);
  expect(await asked()).toEqual(before);
  await limit(10_000, 10_000);
  expect(await slice(second, roundId)).toMatchObject({ outcome: 'throttled' });
  expect(await asked()).toEqual(before);
  emulator.world.clock.advance('retryAfterMs' in held ? held.retryAfterMs : 0);
  expect(await slice(second, roundId)).toMatchObject({ outcome: 'completed' });
  expect(await mirrored()).toEqual(await truth());
});
