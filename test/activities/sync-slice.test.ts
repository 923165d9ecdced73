import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { SyncStore } from '../../src/store/face/sync.ts';
import { pgliteBackend, type Backend } from '../store/backend.ts';
import { createPatience } from '../../src/activities/deps.ts';
import { G, U } from '../store/rounds.ts';
import { json, never, reset } from '../graph/scripted-fetch.ts';
import { CANARY, page, type ScriptedGraph, SliceBench, status, SYNC_INTERVAL_MS } from './slice-bench.ts';

let backend: Backend;
let bench: SliceBench;
let graph: ScriptedGraph;

beforeAll(async () => {
  backend = await pgliteBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  bench = await SliceBench.open(backend.store);
  graph = bench.graph;
});

/** Than all of the directory was read: somebody new, and nobody who is back. */
const LATER = new Date(Date.now() + 3_600_000).toISOString();
const user = (n: number) => ({
  id: U(n),
  userPrincipalName: `user${n}@contoso.com`,
  displayName: `User ${n}`,
  accountEnabled: true,
  createdDateTime: LATER,
});
const group = (n: number, ...members: number[]) => ({
  id: G(n),
  displayName: `Group ${n}`,
  mailEnabled: false,
  securityEnabled: true,
  'members@delta': members.map((m) => ({ '@odata.type': '#microsoft.graph.user', id: U(m) })),
});

/** The store, with some of its sync methods replaced. */
function withSync(change: Partial<SyncStore>) {
  return { store: { ...backend.store, sync: { ...backend.store.sync, ...change } } };
}

/** Slices of a round, as many as it takes. */
async function slices(roundId: string, kind: 'full' | 'delta'): ReturnType<SliceBench['slice']> {
  for (let n = 0; n < 20; n++) {
    const slice = await bench.slice(roundId, kind);
    if (slice.outcome !== 'unfinished') return slice;
  }
  throw new Error('The round does not end');
}

/** Lets the time pass after which nothing more is asked for. */
const letNotesAge = () =>
  sql`UPDATE partial_object SET noted_at = noted_at - interval '61 minutes'`.execute(backend.db);

async function failure(slice: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await slice.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error('no ApplicationFailure', { cause: error });
  return error;
}

describe('a full round', () => {
  it('follows both feeds to their deltaLinks and completes', async () => {
    graph
      .on('users', 'start', page('users', [user(1)], { next: '2' }))
      .on('users', '2', page('users', [user(2)], { delta: 'd' }));
    graph
      .on('groups', 'start', page('groups', [group(1, 1)], { next: '2' }))
      .on('groups', '2', page('groups', [group(1, 2)], { delta: 'd' }));
    expect(await bench.slice('r1')).toEqual({
      outcome: 'completed',
      kind: 'full',
      changes: expect.any(Number),
      nextInMs: SYNC_INTERVAL_MS,
      tokenExpiresAt: bench.expiresAt,
    });
    expect(await bench.mirrored()).toEqual({ users: [U(1), U(2)], groups: [G(1)] });
    const { data } = await backend.store.directory.memberships(bench.tenantNo, undefined, 10);
    expect(data.map(({ memberId }) => memberId)).toEqual([U(1), U(2)]);
  });

  it('reads groups again of which it missed members: of somebody who was deleted at that moment they say nothing', async () => {
    const members = async () =>
      (await backend.store.directory.memberships(bench.tenantNo, undefined, 10)).data.map(({ memberId }) => memberId);
    await bench.firstRound([user(1), user(2)], [group(1, 1, 2)]);
    const cursor = await backend.store.feed.head();
    const told = async () => {
      const read = await backend.store.feed.read(cursor, 100, bench.tenantNo);
      return read === 'expired' ? read : read.events.map(({ type }) => type);
    };
    graph.on('groups', 'start', page('groups', [group(1, 2)], { delta: 'd' }));
    graph.on('groups', 'picked', status(503, 'ServiceUnavailable', { 'retry-after': '60' }));
    expect(await bench.slice('again', 'full')).toMatchObject({ outcome: 'throttled', retryAfterMs: 60_000 });
    expect(await members()).toEqual([U(1), U(2)]);

    bench.clock.advance(60_000);
    graph.on('groups', 'picked', page('groups', [group(1, 1, 2)], { delta: 'unused' }));
    expect(await bench.slice('again', 'full')).toMatchObject({ outcome: 'completed', changes: 0 });
    expect(await members()).toEqual([U(1), U(2)]);
    expect(await told()).toEqual(['sync.completed']);

    graph.on('groups', 'picked', page('groups', [group(1, 2)], { delta: 'unused' }));
    expect(await bench.slice('and again', 'full')).toMatchObject({ outcome: 'completed', changes: 1 });
    expect(await members()).toEqual([U(2)]);
    expect(await told()).toEqual(['sync.completed', 'membership.removed', 'sync.completed']);
  });

  it('reads a group again over as many slices as it takes, no page of it twice', async () => {
    await bench.firstRound([1, 2, 3, 4, 5, 6, 7].map(user), [group(1, 1, 2, 3, 4, 5, 6, 7)]);
    graph.on('groups', 'start', page('groups', [group(1, 7)], { delta: 'd' }));
    graph.on('groups', 'picked', page('groups', [group(1, 1)], { next: 'picked 2' }));
    for (let n = 2; n < 6; n++) {
      graph.on('groups', `picked ${n}`, page('groups', [group(1, n)], { next: `picked ${n + 1}` }));
    }
    graph.on('groups', 'picked 6', page('groups', [], { delta: 'unused' }));
    graph.onRequest = (name) => void (name.includes('picked') && bench.clock.advance(30_000));
    expect(await slices('again', 'full')).toMatchObject({ outcome: 'completed', changes: 1 });
    expect(graph.asked.filter((name) => name.includes('picked'))).toEqual(
      ['', ' 2', ' 3', ' 4', ' 5', ' 6'].map((n) => `groups picked${n}`),
    );
    const left = await backend.store.directory.memberships(bench.tenantNo, undefined, 10);
    expect(left.data.map(({ memberId }) => memberId)).toEqual([1, 2, 3, 4, 5, 7].map(U));
  });

  it('begins reading it anew where the link that it had come to is dead by then', async () => {
    await bench.firstRound([user(1), user(2)], [group(1, 1, 2)]);
    graph.on('groups', 'start', page('groups', [group(1)], { delta: 'd' }));
    graph.on('groups', 'picked', page('groups', [group(1, 1)], { next: 'picked 2' }));
    graph.on(
      'groups',
      'picked 2',
      status(410, 'syncStateNotFound'),
      page('groups', [group(1, 2)], { delta: 'unused' }),
    );
    graph.onRequest = (name) => void (name.endsWith('picked') && graph.asked.length < 6 && bench.clock.advance(60_000));
    expect(await slices('again', 'full')).toMatchObject({ outcome: 'completed', changes: 0 });
    expect(graph.asked.filter((name) => name.includes('picked'))).toEqual([
      'groups picked',
      'groups picked 2',
      'groups picked',
      'groups picked 2',
    ]);
  });

  it('fills a scope with a group over as many slices as it takes, and over rounds', async () => {
    const { tenants } = backend.store;
    await tenants.update(bench.tenantNo, { groupsToSync: [G(1)] });
    graph.on('groups', 'picked', page('groups', [group(1, 1)], { delta: 'unused' }));
    await bench.firstRound([user(1)], [group(1, 1)]);
    const before = graph.asked.length;
    await tenants.update(bench.tenantNo, { groupsToSync: [G(1), G(2)] });
    graph.on('groups', 'picked', page('groups', [group(2, 1)], { next: 'picked 2' }));
    graph.on('groups', 'picked 2', page('groups', [group(2, 2)], { next: 'picked 3' }));
    graph.on('groups', 'picked 3', page('groups', [group(2, 3)], { delta: 'unused' }));
    graph.on('users', 'picked', page('users', [user(2), user(3)], { delta: 'unused' }));
    graph.onRequest = (name) => void (name.includes('groups picked') && bench.clock.advance(60_000));
    const asked = () => graph.asked.slice(before).filter((name) => name.includes('picked'));
    expect(await bench.slice('fill', 'delta')).toMatchObject({ outcome: 'unfinished' });
    // Of another round's pages nobody knows whether they fit together: it begins anew.
    expect(await slices('fill again', 'delta')).toMatchObject({ outcome: 'completed' });
    expect(asked()).toEqual(['groups picked', 'groups picked', 'groups picked 2', 'groups picked 3', 'users picked']);
    const there = await backend.store.directory.memberships(bench.tenantNo, undefined, 10);
    expect(there.data.map(({ groupId, memberId }) => [groupId, memberId])).toEqual([
      [G(1), U(1)],
      ...[1, 2, 3].map((n) => [G(2), U(n)]),
    ]);
  });

  it('looks a second time at a group over as many slices as it takes, and believes what all of its pages say', async () => {
    await bench.firstRound([1, 2, 3, 4, 5].map(user), [group(1, 1, 2, 3, 4, 5)]);
    const { db } = backend;
    const ago = sql`now() - interval '1 hour'`;
    await sql`INSERT INTO reconcile (tenant_no, due_at) VALUES (${bench.tenantNo}, now() + interval '1 day')
      ON CONFLICT (tenant_no) DO UPDATE SET due_at = excluded.due_at`.execute(db);
    await sql`INSERT INTO suspect (tenant_no, kind, object_id, seen_at) VALUES (${bench.tenantNo}, 'group', ${G(1)}, ${ago})`.execute(
      db,
    );
    graph.on('groups', 'picked', page('groups', [group(1, 1, 2)], { next: 'picked 2' }));
    graph.on('groups', 'picked 2', page('groups', [group(1, 3)], { next: 'picked 3' }));
    graph.on('groups', 'picked 3', page('groups', [group(1, 5)], { delta: 'unused' }));
    graph.onRequest = (name) => void (name.includes('picked') && bench.clock.advance(60_000));
    expect(await slices('look', 'delta')).toMatchObject({ outcome: 'completed', changes: 1 });
    expect(graph.asked.filter((name) => name.includes('picked'))).toEqual(
      ['', ' 2', ' 3'].map((n) => `groups picked${n}`),
    );
    const left = await backend.store.directory.memberships(bench.tenantNo, undefined, 10);
    expect(left.data.map(({ memberId }) => memberId)).toEqual([1, 2, 3, 5].map(U));
  });

  it('tells the same summary when the completed slice is repeated, asking nothing', async () => {
    await bench.firstRound([user(1)]);
    const asked = graph.asked.length;
    expect(await bench.slice('first')).toMatchObject({ outcome: 'completed', kind: 'full' });
    expect(graph.asked).toHaveLength(asked);
  });

  it('fetches a few pages ahead while others are written, and no more; those that arrived are written together', async () => {
    for (let n = 1; n < 9; n++)
      graph.on('users', n === 1 ? 'start' : `${n}`, page('users', [user(n)], { next: `${n + 1}` }));
    graph.on('users', '9', page('users', [], { delta: 'd' })).on('groups', 'start', page('groups', [], { delta: 'd' }));
    const together: number[] = [];
    const ahead: number[] = [];
    let written = 0;
    const applyPages: SyncStore['applyPages'] = async (fence, pages) => {
      if (fence.feed === 'users') {
        await new Promise((resolve) => setTimeout(resolve, 100));
        together.push(pages.length);
        written += pages.length;
        ahead.push(graph.asked.filter((name) => name.startsWith('users')).length - written);
      }
      return backend.store.sync.applyPages(fence, pages);
    };
    expect(await bench.slice('r1', 'delta', withSync({ applyPages }))).toMatchObject({ outcome: 'completed' });
    expect({ together, ahead }).toEqual({ together: [1, 3, 3, 2], ahead: [3, 3, 2, 0] });
  });

  it('goes on where the last slice stopped when the budget is used up', async () => {
    graph.onRequest = () => bench.clock.advance(20_000);
    for (let n = 1; n < 6; n++)
      graph.on('users', n === 1 ? 'start' : `${n}`, page('users', [user(n)], { next: `${n + 1}` }));
    graph
      .on('users', '6', page('users', [user(6)], { delta: 'd' }))
      .on('groups', 'start', page('groups', [], { delta: 'd' }));
    const outcomes: string[] = [];
    for (;;) {
      const slice = await bench.slice('r1');
      outcomes.push(slice.outcome);
      if (slice.outcome !== 'unfinished') break;
      expect(slice).toEqual({ outcome: 'unfinished', kind: 'full', tokenExpiresAt: bench.expiresAt });
    }
    expect(outcomes.length).toBeGreaterThan(1);
    expect(outcomes.at(-1)).toBe('completed');
    expect(graph.asked.filter((name) => name.startsWith('users'))).toEqual([
      'users start',
      ...[2, 3, 4, 5, 6].map((n) => `users ${n}`),
    ]);
    expect((await bench.mirrored()).users).toHaveLength(6);
  });

  it('stops the other feed cleanly when one fails', async () => {
    let groupsEnded = false;
    graph.on('users', 'start', status(403, 'Authorization_RequestDenied'));
    graph.onRequest = async (name, { signal }) => {
      if (name !== 'groups start') return;
      try {
        await never(signal);
      } finally {
        groupsEnded = true;
      }
    };
    expect(await bench.slice('r1')).toEqual({
      outcome: 'forbidden',
      kind: 'full',
      graphCode: 'Authorization_RequestDenied',
      requestId: 'req-1',
    });
    expect(groupsEnded).toBe(true);
  });
});

describe('a delta round', () => {
  beforeEach(() => bench.firstRound([user(1), user(2)], [group(1, 1)]));

  it('reads users to the end, then groups, and applies removals after both', async () => {
    graph.on('users', 'delta 1', page('users', [{ id: U(2), '@removed': { reason: 'deleted' } }], { next: 'p' }));
    graph.on('users', 'p', page('users', [user(3)], { delta: 'delta 2' }));
    graph.on('groups', 'delta 1', page('groups', [group(1, 3)], { delta: 'delta 2' }));
    const before = graph.asked.length;
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', kind: 'delta', changes: 3 });
    expect(graph.asked.slice(before)).toEqual(['users delta 1', 'users p', 'groups delta 1']);
    expect(await bench.mirrored()).toEqual({ users: [U(1), U(3)], groups: [G(1)] });
  });

  it('asks for the whole of what is first mentioned in part, by id, and stores the part in the meantime', async () => {
    graph
      .on(
        'users',
        'delta 1',
        page('users', [{ id: U(3), jobTitle: 'Clerk', createdDateTime: '2020-01-01T00:00:00Z' }, user(4)], {
          delta: 'delta 2',
        }),
      )
      .on('groups', 'delta 1', page('groups', [{ id: G(2), description: 'A part' }], { delta: 'delta 2' }))
      .on('groups', 'picked', page('groups', [{ ...group(2, 1), description: 'A part' }], { delta: 'unused' }))
      .on('users', 'picked', status(503, '', { 'retry-after': '60' }));
    const before = graph.asked.length;
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'throttled' });
    const { directory } = backend.store;
    expect((await directory.user(bench.tenantNo, U(3)))?.data).toMatchObject({ jobTitle: 'Clerk' });
    bench.clock.advance(60_000);
    graph
      .on('users', 'picked', page('users', [{ ...user(3), jobTitle: 'Clerk' }], { delta: 'unused' }))
      .on('users', 'delta 2', page('users', [], { delta: 'delta 2' }))
      .on('groups', 'delta 2', page('groups', [], { delta: 'delta 2' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    expect((await directory.user(bench.tenantNo, U(3)))?.data).toMatchObject({
      displayName: 'User 3',
      jobTitle: 'Clerk',
    });
    expect((await directory.group(bench.tenantNo, G(2)))?.data).toMatchObject({ displayName: 'Group 2' });
    expect((await directory.membersOf(bench.tenantNo, G(2), false, undefined, 10)).data).toHaveLength(1);
    const asked = graph.asked.slice(before).filter((name) => name.includes('picked'));
    expect(asked).toEqual(['groups picked', 'users picked', 'users picked']);
    const after = graph.asked.length;
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
    expect(graph.asked.slice(after)).toEqual(['users delta 2', 'groups delta 2']);
  });

  it.each([400, 403, 404, 501])(
    'keeps the part, and asks no more, where the whole is refused with %i',
    async (code) => {
      graph
        .on(
          'users',
          'delta 1',
          page('users', [{ id: U(3), jobTitle: 'Clerk', createdDateTime: LATER }], {
            delta: 'delta 2',
          }),
        )
        .on('users', 'delta 2', page('users', [], { delta: 'delta 2' }))
        .on('users', 'picked', status(code, 'Request_UnsupportedQuery'));
      expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
      expect((await backend.store.directory.user(bench.tenantNo, U(3)))?.data).toMatchObject({ jobTitle: 'Clerk' });
      const after = graph.asked.length;
      expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
      expect(graph.asked.slice(after)).toEqual(['users delta 2', 'groups delta 1']);
    },
  );

  it.each(['a circle that is longer than a slice', 'links that go on and on'])(
    'comes to its end though the whole leads into %s',
    async (where) => {
      const told = page('users', [{ id: U(3), jobTitle: 'Clerk' }], { delta: 'delta 2' });
      graph.on('users', 'delta 1', told).on('users', 'delta 2', page('users', [], { delta: 'delta 2' }));
      const pages = where.startsWith('a circle') ? 150 : Infinity;
      graph.on('users', 'picked', page('users', [], { next: 'picked 0' }));
      graph.onRequest = (name) => {
        const [, n] = /^users (picked \d+)$/.exec(name) ?? [];
        if (n === undefined) return;
        graph.on('users', n, page('users', [], { next: `picked ${(Number(n.slice(7)) + 1) % pages}` }));
        bench.clock.advance(1_000);
      };
      expect(await slices('r2', 'delta')).toMatchObject({ outcome: 'completed' });
    },
  );

  it.each([
    ['groups', 'users'],
    ['users', 'groups'],
  ] as const)('asks for the whole of what is told in part where the %s are refused', async (refused, allowed) => {
    const id = allowed === 'users' ? U(3) : G(3);
    const whole = allowed === 'users' ? user(3) : group(3);
    graph
      .on(refused, 'delta 1', status(403, 'Authorization_RequestDenied'))
      .on(allowed, 'delta 1', page(allowed, [{ id, mail: 'part@contoso.com' }], { delta: 'delta 2' }))
      .on(allowed, 'picked', page(allowed, [whole], { delta: 'unused' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', setAside: { feed: refused } });
    const { directory } = backend.store;
    const kept = await (allowed === 'users' ? directory.user : directory.group)(bench.tenantNo, id);
    expect(kept?.data).toMatchObject({ displayName: whole.displayName });
  });

  it('asks anew for whom it gave up and erased, once they are back and told in part again', async () => {
    const part = { id: U(3), jobTitle: 'Clerk' };
    graph
      .on('users', 'delta 1', page('users', [part], { delta: 'delta 2' }))
      .on('users', 'delta 2', page('users', [{ id: U(3), '@removed': { reason: 'changed' } }], { delta: 'delta 3' }))
      .on('users', 'delta 3', page('users', [part], { delta: 'delta 4' }))
      .on('users', 'picked', status(503, ''));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    await letNotesAge();
    const asked = graph.asked.length;
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
    expect(graph.asked.slice(asked)).toEqual(['users delta 2', 'groups delta 1']);
    await backend.store.retention.erasePerson(bench.tenantNo, U(3));
    graph.on('users', 'picked', page('users', [user(3)], { delta: 'unused' }));
    expect(await bench.slice('r4')).toMatchObject({ outcome: 'completed' });
    expect((await backend.store.directory.user(bench.tenantNo, U(3)))?.data).toMatchObject({ displayName: 'User 3' });
  });

  it('asks for the whole of who is back in part, since what changed before the deletion was not told', async () => {
    graph
      .on('users', 'delta 1', page('users', [{ id: U(2), '@removed': { reason: 'changed' } }], { delta: 'delta 2' }))
      .on('users', 'delta 2', page('users', [{ id: U(2), jobTitle: 'Clerk' }], { delta: 'delta 3' }))
      .on('users', 'picked', page('users', [{ ...user(2), displayName: 'Married' }], { delta: 'unused' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
    expect((await backend.store.directory.user(bench.tenantNo, U(2)))?.data).toMatchObject({ displayName: 'Married' });
  });

  it.each(['waits', 'is held'])('asks for the whole of who is back in part while their removal %s', async (how) => {
    const absent = { graph: { ...bench.deps.graph, presence: async () => ({ kind: 'absent' }) as const } };
    if (how === 'is held') {
      const none = { count: 0, percent: 0 };
      await backend.store.tenants.update(bench.tenantNo, {
        guard: { users: none, groups: none, memberships: none },
      });
    }
    graph
      .on('users', 'delta 1', page('users', [{ id: U(2), '@removed': { reason: 'changed' } }], { delta: 'delta 2' }))
      .on('users', 'delta 2', page('users', [{ id: U(2), jobTitle: 'Clerk' }], { delta: 'delta 3' }))
      .on('users', 'delta 3', page('users', [{ id: U(2), jobTitle: 'Baker' }], { delta: 'delta 4' }))
      .on('users', 'picked', page('users', [], { delta: 'unused' }));
    if (how === 'waits') graph.on('groups', 'delta 1', status(503, '', { 'retry-after': '60' }));
    expect(await bench.slice('r2', 'delta', absent)).toMatchObject({
      outcome: how === 'waits' ? 'throttled' : 'completed',
    });
    expect((await bench.mirrored()).users).toEqual([U(1), U(2)]);
    bench.clock.advance(60_000);
    graph
      .on('groups', 'delta 1', page('groups', [], { delta: 'delta 1' }))
      .on('users', 'picked', page('users', [{ ...user(2), displayName: 'Married' }], { delta: 'unused' }));
    const before = graph.asked.length;
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
    expect((await backend.store.directory.user(bench.tenantNo, U(2)))?.data).toMatchObject({ displayName: 'Married' });
    expect(await bench.slice('r4')).toMatchObject({ outcome: 'completed' });
    expect(graph.asked.slice(before).filter((name) => name === 'users picked')).toHaveLength(1);
  });

  it('asks within a scope, too, for the whole of who was erased and is back in part', async () => {
    bench = await SliceBench.open(backend.store);
    graph = bench.graph;
    await backend.store.tenants.update(bench.tenantNo, { groupsToSync: [G(1)] });
    graph.on('groups', 'picked', page('groups', [group(1, 3)], { delta: 'unused' }));
    await bench.firstRound([user(3)], [group(1, 3)]);
    graph
      .on('users', 'delta 1', page('users', [{ id: U(3), '@removed': { reason: 'changed' } }], { delta: 'delta 2' }))
      .on('users', 'delta 2', page('users', [{ id: U(3), jobTitle: 'Clerk' }], { delta: 'delta 3' }))
      .on('groups', 'delta 1', page('groups', [], { delta: 'delta 2' }))
      .on('groups', 'delta 2', page('groups', [group(1, 2)], { delta: 'delta 3' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    await backend.store.retention.erasePerson(bench.tenantNo, U(3));
    let url = '';
    graph.onRequest = (_, request) => void (url = request.url);
    graph.on('users', 'picked', () => {
      const wanted = [user(2), user(3)].filter(({ id }) => url.includes(id));
      return page('users', wanted, { delta: 'unused' });
    });
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
    expect((await bench.mirrored()).users).toEqual([U(2), U(3)]);
    expect((await backend.store.directory.user(bench.tenantNo, U(3)))?.data).toMatchObject({ displayName: 'User 3' });
  });

  it('tells that it lives before each page of the memberships of whoever is back', async () => {
    graph.on(
      'users',
      'delta 1',
      page('users', [{ id: U(1), '@removed': { reason: 'changed' } }], { delta: 'delta 2' }),
    );
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    graph.on('users', 'delta 2', page('users', [user(1)], { delta: 'delta 3' }));
    // The list begins at /users/{id}/memberOf.
    graph.on('users', 'start', page('users', [], { next: 'of 2' }));
    graph.on('users', 'of 2', page('users', [], { next: 'of 3' }));
    graph.on('users', 'of 3', json({ value: [{ '@odata.type': '#microsoft.graph.group', id: G(1) }] }));
    const beats: number[] = [];
    graph.onRequest = (name) => void (/start|of/.test(name) && beats.push(bench.beats.length));
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
    expect(beats).toHaveLength(3);
    expect(new Set(beats).size).toBe(3);
  });

  it('ends though the memberships of one that is back cannot be read, and asks for them again in the next round', async () => {
    const gone = page('users', [{ id: U(1), '@removed': { reason: 'changed' } }], { delta: 'delta 2' });
    graph.on('users', 'delta 1', gone);
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    graph
      .on('users', 'delta 2', page('users', [user(1)], { delta: 'delta 3' }))
      .on('users', 'delta 3', page('users', [], { delta: 'delta 3' }))
      // The list begins at /users/{id}/memberOf.
      .on('users', 'start', status(500, 'InternalServerError'));
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed', changes: 1 });
    expect(bench.clock.slept).toEqual([1_000]);
    const members = async () =>
      (await backend.store.directory.memberships(bench.tenantNo, undefined, 10)).data.map(({ memberId }) => memberId);
    expect(await members()).toEqual([]);
    graph.on('users', 'start', json({ value: [{ '@odata.type': '#microsoft.graph.group', id: G(1) }] }));
    expect(await bench.slice('r4')).toMatchObject({ outcome: 'completed', changes: 1 });
    expect(await members()).toEqual([U(1)]);
  });

  it('asks two questions when nothing changed, and tells progress in counts alone', async () => {
    bench.beats.length = 0;
    const before = graph.asked.length;
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', changes: 0 });
    expect(graph.asked.slice(before)).toEqual(['users delta 1', 'groups delta 1']);
    expect(bench.beats).toContainEqual({ pages: 2, changes: 0 });
    expect(JSON.stringify(bench.beats)).toMatch(/^[[\]{}",:0-9a-z]+$/);
  });

  it.each([
    ['410', () => status(410, 'resyncRequired')],
    ['an old link', () => status(400, 'Request_UnsupportedQuery')],
    ['a link that is malformed by its maker’s word', () => status(400, 'Request_BadRequest')],
    ['an unknown state', () => status(400, 'SYNCSTATENOTFOUND')],
  ])('becomes a full one when its link is dead: %s', async (_, answer) => {
    graph.on('users', 'delta 1', answer());
    expect(await bench.slice('r2')).toEqual({ outcome: 'unfinished', kind: 'full', tokenExpiresAt: bench.expiresAt });
    // While the new round has not ended, the mirror answers as before.
    expect((await bench.mirrored()).users).toEqual([U(1), U(2)]);
    graph.on('users', 'start', page('users', [user(1), user(4)], { delta: 'delta 2' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', kind: 'full' });
    expect((await bench.mirrored()).users).toEqual([U(1), U(4)]);
  });

  it('becomes a full one when groups expire after users are done', async () => {
    graph.on('groups', 'delta 1', status(410, ''));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'unfinished', kind: 'full' });
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', kind: 'full' });
  });

  it('becomes a full one when a link comes back, without believing the page', async () => {
    graph.on('users', 'delta 1', page('users', [user(5)], { next: 'p' }));
    graph
      .on('users', 'p', page('users', [user(6)], { next: 'q' }))
      .on('users', 'q', page('users', [user(7)], { next: 'p' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'unfinished', kind: 'full' });
    expect((await bench.mirrored()).users).toEqual([U(1), U(2), U(5), U(6)]);
  });

  it('asks for a person when the links of the full one lead in a circle too', async () => {
    graph.on('users', 'delta 1', page('users', [], { next: 'p' })).on('users', 'p', page('users', [], { next: 'p' }));
    graph.on('users', 'start', page('users', [], { next: 'q' })).on('users', 'q', page('users', [], { next: 'q' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'unfinished', kind: 'full' });
    const failed = await failure(bench.slice('r2'));
    expect(failed).toMatchObject({ type: 'FeedFaulty', nonRetryable: true });
    expect((await bench.mirrored()).users).toEqual([U(1), U(2)]);
  });

  it('keeps count of what it had to leave out, and goes on', async () => {
    const device = { '@odata.type': '#microsoft.graph.application', id: U(9) };
    const odd = [{ displayName: 'nobody' }, { ...user(7), accountEnabled: 'yes' }];
    graph.on('users', 'delta 1', page('users', odd, { delta: 'delta 2' }));
    graph.on('groups', 'delta 1', page('groups', [{ ...group(1), 'members@delta': [device] }], { delta: 'delta 2' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    const parts = await backend.store.sync.skipped(bench.tenantNo);
    expect(parts.map(({ feed, reason, count }) => `${feed}: ${reason}: ${count}`).toSorted()).toEqual([
      'groups: member of type #microsoft.graph.application: 1',
      'users: accountEnabled of another type: 1',
      'users: object without an id: 1',
    ]);
    expect((await bench.mirrored()).users).toContain(U(7));
  });
});

describe('a full round that must start anew', () => {
  it('does so at once the first time, then with growing waits', async () => {
    graph
      .on('users', 'start', page('users', [user(1)], { next: 'p' }))
      .on('users', 'p', status(400, 'Directory_ExpiredPageToken'));
    graph.on('groups', 'start', page('groups', [], { delta: 'd' }));
    expect(await bench.slice('r1')).toMatchObject({ outcome: 'unfinished', kind: 'full' });
    expect(await failure(bench.slice('r1'))).toMatchObject({ type: 'GraphUnavailable', nextRetryDelay: 60_000 });
    expect(await failure(bench.slice('r1'))).toMatchObject({ type: 'GraphUnavailable', nextRetryDelay: 120_000 });
    graph.on('users', 'p', page('users', [], { delta: 'd' }));
    expect(await bench.slice('r1')).toMatchObject({ outcome: 'completed' });
  });

  it('is Microsoft being away if even the initial query is answered so', async () => {
    graph.on('users', 'start', status(410, 'resyncRequired')).on('groups', 'start', page('groups', [], { delta: 'd' }));
    expect(await failure(bench.slice('r1'))).toMatchObject({ type: 'GraphUnavailable', nonRetryable: false });
  });
});

describe('throttling', () => {
  beforeEach(() => bench.firstRound());
  const busy = (seconds?: string) =>
    status(429, 'TooManyRequests', seconds === undefined ? {} : { 'retry-after': seconds });
  const answered = () => page('users', [user(1)], { delta: 'delta 2' });

  it('waits short times inside the slice, twice', async () => {
    graph.on('users', 'delta 1', busy('3'), busy('10'), answered());
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', changes: 1 });
    expect(bench.clock.slept).toEqual([3_000, 10_000]);
  });

  it('gives the slot back the third time, and for longer waits', async () => {
    graph.on('users', 'delta 1', busy('1'), busy('1'), busy('7'));
    expect(await bench.slice('r2')).toEqual({ outcome: 'throttled', kind: 'delta', retryAfterMs: 7_000 });
    expect(bench.clock.slept).toEqual([1_000, 1_000]);
    bench.clock.advance(7_000);
    graph.on('users', 'delta 1', busy('11'));
    expect(await bench.slice('r2')).toEqual({ outcome: 'throttled', kind: 'delta', retryAfterMs: 11_000 });
    bench.clock.advance(11_000);
    graph.on('users', 'delta 1', status(503, 'ServiceNotAvailable', { 'retry-after': '120' }));
    expect(await bench.slice('r2')).toEqual({ outcome: 'throttled', kind: 'delta', retryAfterMs: 120_000 });
  });

  it('waits 30 s where nothing is stated, and longer each time, until a round completes', async () => {
    graph.on('users', 'delta 1', busy(), busy(), busy(), answered());
    graph.on('users', 'delta 2', busy());
    const waits: unknown[] = [];
    for (let n = 0; n < 3; n++) {
      waits.push(await bench.slice('r2'));
      bench.clock.advance(30_000 * 2 ** n);
    }
    expect(waits).toMatchObject([{ retryAfterMs: 30_000 }, { retryAfterMs: 60_000 }, { retryAfterMs: 120_000 }]);
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'throttled', retryAfterMs: 30_000 });
  });

  it('keeps the pages before it', async () => {
    graph.on('users', 'delta 1', page('users', [user(1)], { next: 'p' })).on('users', 'p', busy('60'), answered());
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'throttled' });
    expect((await bench.mirrored()).users).toEqual([U(1)]);
    const before = graph.asked.length;
    bench.clock.advance(60_000);
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    expect(graph.asked[before]).toBe('users p');
  });

  it('is obeyed by every worker, and asks nothing before its time', async () => {
    graph.on('users', 'delta 1', busy('90'), answered());
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'throttled', retryAfterMs: 90_000 });
    const asked = graph.asked.length;
    bench.clock.advance(30_000);
    // Another worker knows nothing but what is stored.
    const other = { patience: createPatience(() => 0), fullSlices: { free: 1 } };
    expect(await bench.slice('r2', 'delta', other)).toEqual({
      outcome: 'throttled',
      kind: 'delta',
      retryAfterMs: 60_000,
    });
    expect(graph.asked).toHaveLength(asked);
    bench.clock.advance(60_000);
    expect(await bench.slice('r2', 'delta', other)).toMatchObject({ outcome: 'completed' });
  });

  it('is obeyed by every worker where nothing is stated, too', async () => {
    graph.on('users', 'delta 1', busy(), answered());
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'throttled', retryAfterMs: 30_000 });
    const other = { patience: createPatience(() => 0), fullSlices: { free: 1 } };
    expect(await bench.slice('r2', 'delta', other)).toMatchObject({ outcome: 'throttled', retryAfterMs: 30_000 });
    expect(graph.asked.filter((one) => one === 'users delta 1')).toHaveLength(1);
  });

  it('is stored on the word of Microsoft’s limits, not of anything between us that is away', async () => {
    graph.on('users', 'delta 1', status(504, 'GatewayTimeout', { 'retry-after': '120' }), answered());
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'throttled', retryAfterMs: 120_000 });
    expect((await backend.store.tokens.get(bench.tenantNo))?.throttledUntil).toBeNull();
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
  });

  it.each([
    ['60', 60_000],
    [undefined, 30_000],
  ])('holds all tenants where the limit is the application’s own, Retry-After %s', async (seconds, wait) => {
    const scope = {
      'x-ms-throttle-scope': 'Application/ReadWrite/6731de76-14a6-49ae-97bc-6eba6914391e',
      ...(seconds === undefined ? {} : { 'retry-after': seconds }),
    };
    graph.on('users', 'delta 1', status(429, 'TooManyRequests', scope), answered());
    const neighbour = await SliceBench.open(backend.store);
    await neighbour.firstRound();
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'throttled' });
    expect(await neighbour.slice('r2')).toMatchObject({ outcome: 'throttled' });
    bench.clock.advance(wait);
    neighbour.clock.advance(wait);
    expect(await neighbour.slice('r2')).toMatchObject({ outcome: 'completed' });
    await backend.store.sync.throttle('application', new Date(0));
    await sql`DELETE FROM throttle WHERE tenant_no = 0`.execute(backend.db);
  });

  it('is kept away from by going slower near the limit, and told to others above nine tenths', async () => {
    const near = (share: string, to: { readonly next: string } | { readonly delta: string }) =>
      new Response(page('users', [], to).body, {
        headers: { 'x-ms-throttle-limit-percentage': share, 'x-ms-resource-unit': '2' },
      });
    graph
      .on('users', 'delta 1', () => near('0.85', { next: 'p' }))
      .on('users', 'p', () => near('1.2', { next: 'q' }))
      .on('users', 'q', page('users', [], { delta: 'delta 2' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    expect(bench.clock.slept).toEqual([250, 2_000]);
    const stored = await backend.store.tokens.get(bench.tenantNo);
    expect(stored?.throttledUntil?.getTime()).toBe(bench.clock.now());
  });

  it('is asked to fall on what nobody waits for: full rounds say that they have low priority', async () => {
    const priorities = new Map<string, string | null>();
    graph.onRequest = (name, { headers }) => void priorities.set(name, headers.get('x-ms-throttle-priority'));
    graph
      .on('users', 'start', page('users', [], { delta: 'd' }))
      .on('groups', 'start', page('groups', [], { delta: 'd' }));
    await bench.slice('delta');
    await bench.slice('full', 'full');
    expect(priorities.get('users delta 1')).toBeNull();
    expect(priorities.get('users start')).toBe('low');
  });

  it('of our own: a worker has room for some full rounds, and always for delta rounds', async () => {
    const full = { fullSlices: { free: 0 } };
    expect(await bench.slice('full', 'full', full)).toEqual({ outcome: 'no_room', kind: 'full', tryAgainInMs: 2_000 });
    full.fullSlices.free = 1;
    graph
      .on('users', 'start', page('users', [], { delta: 'd' }))
      .on('groups', 'start', page('groups', [], { delta: 'd' }));
    expect(await bench.slice('full', 'full', full)).toMatchObject({ outcome: 'completed' });
    expect(full.fullSlices.free).toBe(1);
  });
});

describe('outages', () => {
  beforeEach(() => bench.firstRound());

  it.each([
    ['500', () => status(500, 'UnknownError')],
    ['a broken connection', reset],
    ['HTML', () => new Response('<html>', { status: 502 })],
    ['half a body', () => new Response('{"value":[')],
  ])('are borne twice within a second or so, then left to Temporal: %s', async (_, broken) => {
    graph.on('users', 'delta 1', broken, broken, () => page('users', [], { delta: 'delta 2' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
    expect(bench.clock.slept).toEqual([250, 1_000]);
    graph.on('users', 'delta 2', broken);
    const failed = await failure(bench.slice('r3'));
    expect(failed).toMatchObject({
      type: 'GraphUnavailable',
      nonRetryable: false,
      category: ApplicationFailureCategory.BENIGN,
    });
    expect(graph.asked.filter((name) => name === 'users delta 2')).toHaveLength(3);
  });
});

describe('refusals', () => {
  beforeEach(() => bench.firstRound());

  it('asks for a new token after 401, and lets nobody use the old one', async () => {
    graph.on('users', 'delta 1', status(401, 'InvalidAuthenticationToken'));
    expect(await bench.slice('r2')).toEqual({ outcome: 'token_needed', kind: 'delta' });
    const asked = graph.asked.length;
    expect(await bench.slice('r2')).toEqual({ outcome: 'token_needed', kind: 'delta' });
    expect(graph.asked).toHaveLength(asked);
  });

  it('asks for a token when none will last, or when it does not open', async () => {
    await bench.putToken(59_000);
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'token_needed' });
    const sealed = bench.deps.sealer.seal(CANARY, `token/tenant/${bench.tenantNo + 1}`);
    await backend.store.tokens.put(bench.tenantNo, sealed, new Date(bench.clock.now() + 3_600_000));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'token_needed' });
    expect(bench.logged).toContainEqual(expect.objectContaining({ message: 'A stored token does not open' }));
  });

  it('quotes the request of a 403', async () => {
    for (const feed of ['users', 'groups'] as const) {
      graph.on(feed, 'delta 1', status(403, 'Authorization_RequestDenied'));
    }
    expect(await bench.slice('r2')).toEqual({
      outcome: 'forbidden',
      kind: 'delta',
      graphCode: 'Authorization_RequestDenied',
      requestId: 'req-1',
    });
  });

  it('goes on with the feed that Graph does not refuse, and takes up the other where it stood when it is let again', async () => {
    const asOf = async () => (await backend.store.tenants.byNo(bench.tenantNo))?.asOf;
    const before = await asOf();
    const denied = status(403, 'Authorization_RequestDenied');
    const left = {
      id: G(1),
      'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: U(9), '@removed': { reason: 'deleted' } }],
    };
    graph
      .on('users', 'delta 1', page('users', [user(1)], { delta: 'delta 2' }))
      .on('users', 'delta 2', page('users', [{ id: U(1), '@removed': { reason: 'changed' } }], { delta: 'delta 3' }))
      .on('users', 'delta 3', page('users', [], { delta: 'delta 3' }))
      .on('groups', 'delta 1', page('groups', [{ id: G(1), displayName: 'New' }, left], { next: 'p' }), denied)
      .on('groups', 'p', denied);
    const aside = { feed: 'groups', graphCode: 'Authorization_RequestDenied', requestId: 'req-1' };
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', changes: 2, setAside: aside });
    expect((await bench.mirrored()).users).toEqual([U(1)]);
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed', setAside: aside });
    expect((await bench.mirrored()).users).toEqual([]);
    expect(await asOf()).toBe(before);
    graph.on('groups', 'delta 1', page('groups', [{ id: G(1), displayName: 'New' }], { delta: 'delta 2' }));
    const whole = await bench.slice('r4');
    expect(whole).toMatchObject({ outcome: 'completed', kind: 'delta' });
    expect(whole).not.toHaveProperty('setAside');
    expect(await asOf()).not.toBe(before);
    expect((await bench.mirrored()).groups).toEqual([G(1)]);
  });

  it.each([403, 400])('goes on where what a scope wants is refused with %i, and asks for it again', async (code) => {
    const { tenants } = backend.store;
    const asOf = async () => (await tenants.byNo(bench.tenantNo))?.asOf;
    bench = await SliceBench.open(backend.store);
    graph = bench.graph;
    await tenants.update(bench.tenantNo, { groupsToSync: [G(1)] });
    graph.on('groups', 'picked', page('groups', [group(1, 1)], { delta: 'unused' }));
    await bench.firstRound([user(1)], [group(1, 1)]);
    const before = await asOf();
    const gone = { id: U(1), '@removed': { reason: 'changed' } };
    graph
      .on('users', 'delta 1', page('users', [gone], { delta: 'delta 2' }))
      .on('users', 'delta 2', page('users', [], { delta: 'delta 2' }))
      .on('groups', 'delta 1', page('groups', [group(1, 2)], { delta: 'delta 2' }))
      .on('groups', 'delta 2', page('groups', [], { delta: 'delta 2' }))
      .on('users', 'picked', status(code, 'Authorization_RequestDenied'));
    const aside = { feed: 'users', graphCode: 'Authorization_RequestDenied', requestId: 'req-1' };
    const slice = await bench.slice('r2');
    expect(slice).toMatchObject({ outcome: 'completed', ...(code === 403 ? { setAside: aside } : {}) });
    expect((await bench.mirrored()).users).toEqual([]);
    if (code === 403) expect(await asOf()).toBe(before);
    graph.on('users', 'picked', page('users', [user(2)], { delta: 'unused' }));
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
    expect((await bench.mirrored()).users).toEqual([U(2)]);
  });

  describe.each([403, 400])('where what a scope wants is refused with %i', (code) => {
    const member = (id: string, kind: 'user' | 'group') => ({ '@odata.type': `#microsoft.graph.${kind}`, id });
    const quiet = () =>
      graph
        .on('users', 'delta 1', page('users', [], { delta: 'delta 1' }))
        .on('groups', 'delta 2', page('groups', [], { delta: 'delta 2' }));
    const joined = (...members: object[]) =>
      quiet().on('groups', 'delta 1', page('groups', [{ id: G(1), 'members@delta': members }], { delta: 'delta 2' }));
    const asked = (from: number) => graph.asked.slice(from).filter((name) => name.includes('picked'));

    beforeEach(async () => {
      bench = await SliceBench.open(backend.store);
      graph = bench.graph;
      await backend.store.tenants.update(bench.tenantNo, { groupsToSync: [G(1)], scope: { nested: true } });
      graph.on('groups', 'picked', page('groups', [group(1, 1)], { delta: 'unused' }));
      await bench.firstRound([user(1)], [group(1, 1)]);
    });

    it('asks for people where it is nested groups, and for both once a round', async () => {
      joined(member(G(5), 'group'), member(U(2), 'user'));
      graph
        .on('groups', 'picked', status(code, 'Authorization_RequestDenied'))
        .on('users', 'picked', page('users', [user(2)], { delta: 'unused' }));
      const before = graph.asked.length;
      expect(await bench.slice('r2')).toMatchObject({
        outcome: 'completed',
        ...(code === 403 ? { setAside: { feed: 'groups' } } : {}),
      });
      expect((await bench.mirrored()).users).toEqual([U(1), U(2)]);
      expect(asked(before)).toEqual(['groups picked', 'users picked']);
      graph
        .on('groups', 'picked', page('groups', [group(5, 3)], { delta: 'unused' }))
        .on('users', 'picked', page('users', [user(3)], { delta: 'unused' }));
      expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed' });
      expect((await bench.mirrored()).users).toEqual([U(1), U(2), U(3)]);
    });

    it('goes on with those that come after them, in this round and in the next', async () => {
      const people = Array.from({ length: 120 }, (_, n) => n + 2);
      joined(...people.map((n) => member(U(n), 'user')));
      let denied = false;
      graph.onRequest = (name, { url }) => {
        if (name === 'users picked') denied = decodeURIComponent(url).includes(U(2));
      };
      const whole = page('users', people.slice(50).map(user), { delta: 'unused' });
      graph.on('users', 'picked', () => (denied ? status(code, 'Authorization_RequestDenied') : whole.clone()));
      for (const round of ['r2', 'r3']) {
        const before = graph.asked.length;
        expect(await bench.slice(round)).toMatchObject({ outcome: 'completed' });
        expect(asked(before)).toHaveLength(round === 'r2' ? 2 : 1);
        expect((await bench.mirrored()).users).toHaveLength(71);
      }
    });
  });

  it('keeps all that a feed told in a round that another one followed before its end, and nothing that half of one told', async () => {
    bench = await SliceBench.open(backend.store);
    graph = bench.graph;
    await bench.firstRound([user(1), user(2)], [group(1)]);
    const gone = (id: string) => ({ id, '@removed': { reason: 'changed' } });
    graph
      .on('users', 'delta 1', page('users', [gone(U(2))], { delta: 'delta 2' }))
      .on('groups', 'delta 1', page('groups', [gone(G(1))], { next: 'p' }))
      .on('groups', 'p', status(503, '', { 'retry-after': '60' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'throttled' });
    bench.clock.advance(60_000);
    const denied = status(403, 'Authorization_RequestDenied');
    // The group was restored meanwhile.
    graph.on('users', 'delta 2', denied).on('groups', 'delta 1', page('groups', [group(1)], { delta: 'delta 2' }));
    expect(await bench.slice('r3')).toMatchObject({ outcome: 'completed', setAside: { feed: 'users' } });
    expect(await bench.mirrored()).toEqual({ users: [U(1)], groups: [G(1)] });

    graph
      .on('users', 'delta 2', page('users', [], { delta: 'delta 2' }))
      .on('groups', 'delta 2', page('groups', [gone(G(1))], { next: 'p' }));
    bench.clock.advance(60_000);
    expect(await bench.slice('r4')).toMatchObject({ outcome: 'throttled' });
    bench.clock.advance(60_000);
    graph.on('groups', 'delta 2', denied);
    expect(await bench.slice('r5')).toMatchObject({ outcome: 'completed', setAside: { feed: 'groups' } });
    expect(await bench.mirrored()).toEqual({ users: [U(1)], groups: [G(1)] });
  });

  it('goes on with the groups where the users are refused', async () => {
    graph
      .on('users', 'delta 1', status(403, 'Authorization_RequestDenied'))
      .on('groups', 'delta 1', page('groups', [{ id: G(2), displayName: 'New' }], { delta: 'delta 2' }));
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', setAside: { feed: 'users' } });
    expect((await bench.mirrored()).groups).toEqual([G(2)]);
  });

  it('names the code of what Graph will not do, and nothing else', async () => {
    graph.on('users', 'start', status(400, 'Request_BadRequest'));
    const failed = await failure(bench.slice('r2', 'full'));
    expect(failed).toMatchObject({
      type: 'GraphRefused',
      nonRetryable: true,
      details: [{ graphCode: 'Request_BadRequest', requestId: 'req-1' }],
    });
    expect(failed.message).toBe('Microsoft Graph refused: Request_BadRequest');
  });
});

describe('a slice that is overtaken', () => {
  beforeEach(() => bench.firstRound([user(1)]));

  it('writes nothing once another slice has begun', async () => {
    graph.on('users', 'delta 1', page('users', [user(2)], { delta: 'delta 2' }));
    graph.onRequest = async () => {
      graph.onRequest = () => undefined;
      const { queryHash } = bench.deps.graph;
      await backend.store.sync.openSlice({ tenantNo: bench.tenantNo, roundId: 'r2', kind: 'delta', queryHash });
    };
    expect(await bench.slice('r2')).toEqual({ outcome: 'superseded', kind: 'delta' });
    expect((await bench.mirrored()).users).toEqual([U(1)]);
  });

  it('writes nothing after a pause, and begins none while it lasts', async () => {
    graph.on('users', 'delta 1', page('users', [user(2)], { delta: 'delta 2' }));
    const pause = { tenantNo: bench.tenantNo, phase: 'delta_sync', paused: true, problem: null, taken: [] } as const;
    graph.onRequest = () => backend.store.tenants.record(pause);
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'superseded' });
    const asked = graph.asked.length;
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'superseded' });
    expect(graph.asked).toHaveLength(asked);
    expect((await bench.mirrored()).users).toEqual([U(1)]);
  });

  it.each(['applyRemovals', 'completeRound', 'restartAsFull'] as const)('says so at %s too', async (method) => {
    if (method === 'restartAsFull') graph.on('users', 'delta 1', status(410, ''));
    expect(await bench.slice('r2', 'delta', withSync({ [method]: () => Promise.resolve('superseded') }))).toEqual({
      outcome: 'superseded',
      kind: 'delta',
    });
  });
});

describe('being stopped', () => {
  it('ends with the reason of the abort, with nothing left in flight', async () => {
    const reason = new Error('worker shutdown');
    let open = 0;
    graph.onRequest = async (_, { signal }) => {
      open++;
      if (open === 2) setTimeout(() => bench.stop.abort(reason), 5);
      try {
        await never(signal);
      } finally {
        open--;
      }
    };
    await expect(bench.slice('r1')).rejects.toBe(reason);
    expect(open).toBe(0);
  });

  it('is unfinished when removals take longer than the budget', async () => {
    await bench.firstRound();
    const applyRemovals = () => Promise.resolve('stopped' as const);
    expect(await bench.slice('r2', 'delta', withSync({ applyRemovals }))).toMatchObject({
      outcome: 'unfinished',
      kind: 'delta',
    });
    expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed' });
  });

  it('lets an error of the database through, with nothing left in flight', async () => {
    graph
      .on('users', 'start', page('users', [user(1)], { next: 'p' }))
      .on('groups', 'start', page('groups', [], { next: 'p' }));
    graph.onRequest = async (name, { signal }) => void (name.endsWith(' p') && (await never(signal)));
    const applyPages = () => Promise.reject(new Error('connection lost'));
    await expect(bench.slice('r1', 'delta', withSync({ applyPages }))).rejects.toThrow('connection lost');
  });
});

it('logs what it left out of a page, without saying whose it was', async () => {
  await bench.firstRound();
  graph.on('users', 'delta 1', page('users', [{ displayName: 'Alice Canary' }, user(1)], { delta: 'delta 2' }));
  expect(await bench.slice('r2')).toMatchObject({ outcome: 'completed', changes: 1 });
  expect(bench.logged).toContainEqual({
    tenantNo: bench.tenantNo,
    feed: 'users',
    skipped: { 'object without an id': 1 },
    message: 'Parts of a page were left out',
  });
  expect(JSON.stringify(bench.logged)).not.toMatch(/Canary|eyJ/);
});
