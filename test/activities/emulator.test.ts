import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Agent } from 'undici';
import { startEmulator, type Emulator } from '../../emulator/emulator.ts';
import { createPatience, type ActivityDeps } from '../../src/activities/deps.ts';
import { refreshToken } from '../../src/activities/refresh-token.ts';
import { reconcileSlice } from '../../src/activities/reconcile-slice.ts';
import { syncSlice } from '../../src/activities/sync-slice.ts';
import { verifyConsent } from '../../src/activities/verify-consent.ts';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer } from '../../src/crypto/sealer.ts';
import type { ObjectRow } from '../../src/store/face/directory.ts';
import type { Page } from '../../src/store/face/tenants.ts';
import { LOG, pgliteBackend, type Backend } from '../store/backend.ts';
import { Reader } from '../store/fold.ts';
import { newTenant, snapshotOf } from '../store/rounds.ts';
import { graphTo } from '../support/emulated-graph.ts';
import { FakeClock } from './slice-bench.ts';

// The same activities as in production against the emulator over HTTPS, without Temporal: from consent to the truth.

let backend: Backend;
let emulator: Emulator;
let folder: string;
let agent: Agent;
let deps: ActivityDeps;
let directory: { readonly id: string };
let tenantNo: number;
const clock = new FakeClock();

const context = { signal: new AbortController().signal, heartbeat: () => undefined };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'emulator-'));
  backend = await pgliteBackend();
  emulator = await startEmulator({ dataDir: folder });
  agent = new Agent({ connect: { ca: await readFile(emulator.caFile) } });
  deps = {
    store: backend.store,
    graph: graphTo(emulator, agent),
    sealer: createSealer(parseEncryptionKeys(`k:${randomBytes(32).toString('base64')}`)),
    log: LOG,
    clock,
    patience: createPatience(),
    fullSlices: { free: 1 },
    sliceBudgetMs: 60_000,
    syncIntervalMs: 1_000,
  };
  const domain = 'contoso.com';
  directory = await control('POST', '/tenants', {
    domain,
    users: 700,
    groups: 60,
    memberships: 3_000,
    nestedCycles: 2,
    devices: 5,
    servicePrincipals: 5,
  });
  const created = await backend.store.tenants.create(newTenant('emulated'));
  tenantNo = created === 'name_taken' ? 0 : created.tenant.no;
  await backend.store.consents.bind(tenantNo, directory.id);
}, 240_000);

afterAll(async () => {
  await agent.close();
  await emulator.close();
  await backend.close();
  await rm(folder, { recursive: true });
});

afterEach(() => control('DELETE', '/faults'));

async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${emulator.httpUrl}/_emulator${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** A round to its end, as the workflow drives it: the outcomes on the way. */
async function round(kind: 'full' | 'delta' = 'delta'): Promise<readonly string[]> {
  const roundId = randomUUID();
  const outcomes: string[] = [];
  for (let n = 0; n < 200; n++) {
    const slice = await syncSlice(deps, { tenantNo, roundId, kind }, context).catch((error: { type?: string }) => {
      if (error.type !== 'GraphUnavailable') throw error;
      return { outcome: 'GraphUnavailable' };
    });
    outcomes.push(slice.outcome);
    if (slice.outcome === 'completed') return outcomes;
    // As long as a workflow would wait.
    if ('retryAfterMs' in slice) clock.advance(slice.retryAfterMs);
    if (slice.outcome === 'token_needed') await refreshToken(deps, { tenantNo }, context);
  }
  throw new Error(`The round does not end: ${outcomes.join()}`);
}

async function all<T>(read: (after: string | undefined) => Promise<Page<T>>): Promise<readonly T[]> {
  const rows: T[] = [];
  let after: string | undefined;
  do {
    const { data, next } = await read(after);
    rows.push(...data);
    after = next ?? undefined;
  } while (after !== undefined);
  return rows;
}

/** Never set, null and an empty list are the same here: the API writes them as the contract says. */
const plain = (objects: readonly Record<string, unknown>[]) =>
  objects
    .map((object) => Object.entries(object).filter(([, value]) => value !== null && JSON.stringify(value) !== '[]'))
    .map((entries) => JSON.stringify(entries.sort(([a], [b]) => a.localeCompare(b))))
    .sort();

async function expectTruth(): Promise<void> {
  const truth = await control<Record<'users' | 'groups' | 'memberships', Record<string, unknown>[]>>(
    'GET',
    `/tenants/${directory.id}/truth`,
  );
  const { directory: mirror } = backend.store;
  const flat = ({ id, data }: ObjectRow) => ({ id, ...data });
  const users = await all((after) => mirror.users(tenantNo, after, 500));
  const groups = await all((after) => mirror.groups(tenantNo, after, 500));
  const memberships = await all((after) => mirror.memberships(tenantNo, after, 1_000));
  expect(plain(users.map(flat))).toEqual(plain(truth.users));
  expect(plain(groups.map(flat))).toEqual(plain(truth.groups));
  const rows = memberships.map(({ groupId, memberId, memberType }) => ({ groupId, memberId, memberType }));
  expect(plain(rows)).toEqual(plain(truth.memberships));
}

const mutate = (seed: number) => control('POST', `/tenants/${directory.id}/mutate`, { count: 150, seed });

it('gets no token before the consent', async () => {
  await expect(refreshToken(deps, { tenantNo }, context)).rejects.toMatchObject({
    type: 'ConsentMissing',
    nonRetryable: true,
  });
});

it('verifies the consent', async () => {
  await control('POST', `/tenants/${directory.id}/app/consent`, {});
  expect(await refreshToken(deps, { tenantNo }, context)).toMatchObject({ missing: [] });
  expect(await verifyConsent(deps, { tenantNo }, context)).toEqual({ verified: true, missing: [] });
  await backend.store.tenants.record({ tenantNo, phase: 'syncing', paused: false, problem: null, taken: [] });
});

it('mirrors the whole directory, then its changes', async () => {
  expect(await round()).toEqual(['completed']);
  await expectTruth();
  for (const seed of [1, 2, 3]) {
    await mutate(seed);
    expect(await round()).toEqual(['completed']);
    await expectTruth();
  }
});

it('comes to the truth where delta query tells what is new, or back, in part', async () => {
  const at = `/tenants/${directory.id}`;
  await control('PATCH', `${at}/settings`, { chaos: { firstInPart: 1 } });
  for (const seed of [11, 12, 13, 14]) {
    await mutate(seed);
    expect(await round()).toEqual(['completed']);
    await expectTruth();
  }
  await control('DELETE', '/requests');
  expect(await round()).toEqual(['completed']);
  const { counts } = await control<{ counts: Record<string, unknown> }>('GET', '/requests');
  expect(counts[directory.id]).toEqual({ 'GET /v1.0/users/delta 200': 1, 'GET /v1.0/groups/delta 200': 1 });
  await control('PATCH', `${at}/settings`, { chaos: { firstInPart: 0 } });
});

it.each(['a', 'b', 'c', 'd', 'e', 'f'])('finds every change again after a delta link died: shape %s', async (shape) => {
  await mutate(shape.charCodeAt(0));
  await control('POST', `/tenants/${directory.id}/expire-tokens`, { resource: 'all', scope: 'delta', shape });
  expect(await round()).toEqual(['unfinished', 'completed']);
  await expectTruth();
});

it('gets through throttling, errors, resets, half bodies and dead tokens', async () => {
  const faults = [
    { kind: 'status', status: 429, code: 'TooManyRequests', retryAfter: 1 },
    { kind: 'status', status: 503, body: 'html' },
    { kind: 'status', status: 401, code: 'InvalidAuthenticationToken' },
    { kind: 'reset' },
    { kind: 'truncate' },
  ];
  for (const [seed, fault] of faults.entries()) {
    await control('POST', '/faults', { path: '/delta', probability: 0.25, seed: seed + 1, fault });
  }
  const seen = new Set<string>();
  for (const [seed, kind] of (['delta', 'full', 'delta', 'full'] as const).entries()) {
    await mutate(100 + seed);
    for (const outcome of await round(kind)) seen.add(outcome);
    await expectTruth();
  }
  expect([...seen]).toEqual(expect.arrayContaining(['completed', 'token_needed', 'GraphUnavailable']));
});

/** The busiest of the directory: a group with members, and a user in groups. */
async function busiest(): Promise<{ readonly user: string; readonly group: string }> {
  const truth = await control<{ memberships: { groupId: string; memberId: string; memberType: string }[] }>(
    'GET',
    `/tenants/${directory.id}/truth`,
  );
  const most = (ids: readonly string[]) =>
    [...new Set(ids)].toSorted((a, b) => ids.filter((id) => id === b).length - ids.filter((id) => id === a).length)[0];
  return {
    user: most(truth.memberships.filter((row) => row.memberType === 'user').map((row) => row.memberId)) ?? '',
    group: most(truth.memberships.map((row) => row.groupId)) ?? '',
  };
}

it.each([true, false])(
  'comes to the truth over soft deletions and restores; groups list themselves again: %s',
  async (relistMembersOnRestore) => {
    const at = `/tenants/${directory.id}`;
    await control('PATCH', `${at}/settings`, { delta: { relistMembersOnRestore } });
    const { user, group } = await busiest();
    for (const path of [`users/${user}`, `groups/${group}`]) {
      await control('DELETE', `${at}/${path}`);
      await round();
      await expectTruth();
      await control('POST', `${at}/${path}/restore`);
      await round();
      await expectTruth();
    }
    // One is deleted and restored while the other is away, in every order.
    await control('DELETE', `${at}/users/${user}`);
    await control('DELETE', `${at}/groups/${group}`);
    await round();
    await control('POST', `${at}/users/${user}/restore`);
    await round();
    await expectTruth();
    await control('POST', `${at}/groups/${group}/restore`);
    await round();
    await expectTruth();
  },
);

it('waits with the memberships of a restored user until reads show that user again', async () => {
  const at = `/tenants/${directory.id}`;
  const { user } = await busiest();
  const groups = async () => (await backend.store.directory.groupsOf(tenantNo, user, false, undefined, 1_000)).data;
  const before = await groups();
  expect(before.length).toBeGreaterThan(0);
  await control('PATCH', `${at}/settings`, { readLagMs: 60_000 });
  await control('DELETE', `${at}/users/${user}`);
  await control('POST', '/clock', { advanceMs: 90_000 });
  await round();
  await control('POST', `${at}/users/${user}/restore`);
  await round();
  expect(await backend.store.directory.user(tenantNo, user)).toBeDefined();
  expect(await groups()).toEqual([]);
  await control('POST', '/clock', { advanceMs: 90_000 });
  await round();
  expect(await groups()).toEqual(before);
  await control('PATCH', `${at}/settings`, { readLagMs: 0 });
  await expectTruth();
});

/** Pieces of a reconcile until it is complete, a page a piece, with something between any two. */
async function reconcile(between: (piece: number) => Promise<void>): Promise<void> {
  await backend.store.reconcile.ask(tenantNo);
  for (let piece = 0; piece < 100; piece++) {
    await reconcileSlice({ ...deps, sliceBudgetMs: 0 }, { tenantNo }, context);
    const status = await backend.store.reconcile.status(tenantNo);
    if (status && !status.comparing && status.completedAt !== null) return;
    await between(piece);
  }
  throw new Error('The reconcile does not end');
}

/** Lets the time pass that a second look waits for. */
const letSuspectsAge = () => sql`UPDATE suspect SET seen_at = seen_at - interval '6 minutes'`.execute(backend.db);

it.each([
  ['nothing was silent', false],
  ['delta query was silent about changes', true],
])('holds the mirror against a fresh read, between delta rounds: %s', async (_, drifts) => {
  const settings = (change: object) => control('PATCH', `/tenants/${directory.id}/settings`, change);
  await control('PATCH', `/tenants/${directory.id}/settings`, {
    chaos: { olderVersion: 0.2, replay: 0.2, duplicate: 0.1, shuffle: true },
  });
  await round();
  await expectTruth();
  const cursor = await backend.store.feed.head();
  const reader = new Reader(await snapshotOf(backend.store, tenantNo));
  if (drifts) {
    await settings({ silentChanges: true });
    await mutate(900);
    await settings({ silentChanges: false });
    await round();
    await expect(expectTruth()).rejects.toThrow();
  }
  await reconcile(async (piece) => {
    if (piece % 4 === 1) await control('POST', `/tenants/${directory.id}/mutate`, { count: 10, seed: 1_000 + piece });
    if (piece % 4 === 2) await round();
  });
  await round();
  // At the first look nothing is believed.
  expect((await backend.store.reconcile.status(tenantNo))?.drift).toBe(0);
  await letSuspectsAge();
  // The second look, and then what it brings back is asked for its memberships.
  await round();
  await round();
  await expectTruth();
  const status = await backend.store.reconcile.status(tenantNo);
  expect(status?.compared).toBeGreaterThan(3_000);
  expect((status?.drift ?? 0) > 0).toBe(drifts);
  const read = await backend.store.feed.read(cursor, 5_000, tenantNo);
  if (read === 'expired') throw new Error('expired');
  for (const event of read.events) reader.read(event);
  expect(reader.snapshot()).toEqual(await snapshotOf(backend.store, tenantNo));
  await settings({ chaos: { olderVersion: 0, replay: 0, duplicate: 0, shuffle: false } });
});

it('reconciles by itself once Graph has counted otherwise twice', async () => {
  const at = `/tenants/${directory.id}`;
  await control('PATCH', `${at}/settings`, { silentChanges: true });
  await control('POST', `${at}/users`, { displayName: 'Nobody told of' });
  await control('PATCH', `${at}/settings`, { silentChanges: false });
  const due = async () => {
    const { dueAt } = (await backend.store.reconcile.status(tenantNo)) ?? {};
    return Date.parse(dueAt ?? '') <= Date.now();
  };
  for (const strikes of [1, 2]) {
    await reconcileSlice(deps, { tenantNo }, context);
    expect(await due()).toBe(false);
    await sql`UPDATE reconcile SET counted_at = counted_at - interval '2 hours'`.execute(backend.db);
    await reconcileSlice(deps, { tenantNo }, context);
    expect(await due()).toBe(strikes === 2);
  }
  await reconcile(async () => undefined);
  await letSuspectsAge();
  await round();
  await expectTruth();
});

it('begins a reconcile anew when its links are dead: at once, and then ever later', async () => {
  await backend.store.reconcile.ask(tenantNo);
  const piece = () => reconcileSlice({ ...deps, sliceBudgetMs: 0 }, { tenantNo }, context);
  const dueInMinutes = async () => {
    const { dueAt } = (await backend.store.reconcile.status(tenantNo)) ?? {};
    return Math.round((Date.parse(dueAt ?? '') - Date.now()) / 60_000);
  };
  for (const least of [0, 20, 40]) {
    await piece();
    expect(await backend.store.reconcile.status(tenantNo)).toMatchObject({ comparing: true });
    await control('POST', `/tenants/${directory.id}/expire-tokens`, { resource: 'all', scope: 'page', shape: 'a' });
    await piece();
    expect(await backend.store.reconcile.status(tenantNo)).toMatchObject({ comparing: false });
    const minutes = await dueInMinutes();
    expect(minutes).toBeGreaterThanOrEqual(least);
    expect(minutes).toBeLessThanOrEqual(1.2 * least);
    await backend.store.reconcile.ask(tenantNo);
  }
  await reconcile(async () => undefined);
});

it('sets aside what a permission was taken away for, and goes on with the rest', async () => {
  await control('POST', `/tenants/${directory.id}/app/roles/remove`, { permission: 'Group.Read.All' });
  expect(await refreshToken(deps, { tenantNo }, context)).toMatchObject({ missing: ['Group.Read.All'] });
  const slice = await syncSlice(deps, { tenantNo, roundId: randomUUID(), kind: 'delta' }, context);
  const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);
  expect(slice).toMatchObject({ outcome: 'completed', setAside: { feed: 'groups', requestId } });
  expect(await verifyConsent(deps, { tenantNo }, context)).toMatchObject({
    verified: false,
    missing: ['Group.Read.All'],
  });
  await expectTruth();
});
