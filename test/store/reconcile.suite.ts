import { beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { type DeltaItem, KIND_OF } from '../../src/domain/directory.ts';
import type { OpenReconcile } from '../../src/store/face/reconcile.ts';
import type { OpenSlice, WantedObjects } from '../../src/store/face/sync.ts';
import type { Store } from '../../src/store/store.ts';
import type { Backend } from './backend.ts';
import {
  applyPages,
  boundTenant,
  fencesOf,
  fill,
  finishRound,
  G,
  joins,
  liveTenant,
  object,
  openRound,
  runRound,
  snapshotOf,
  toldAfter,
  U,
} from './rounds.ts';

/** The mirror held against fresh reads, and looked at a second time where it differs. */
export function reconcileSuite(backend: () => Backend): void {
  describe('a reconcile', () => {
    let store: Store;
    let tenantNo: number;
    const members = [U(1), U(2), U(3)].map((id) => joins(id));
    const people = [U(1), U(2), U(3)].map((id) => object(id, { displayName: 'a' }));

    beforeEach(async () => {
      ({ store } = backend());
      ({ no: tenantNo } = await boundTenant(store));
      await runRound(store, tenantNo, { kind: 'full', users: [people], groups: [[object(G(1), {}, members)]] });
    });

    /** Compares all of these, and lets the time pass that a second look waits for. */
    async function compare(users: readonly DeltaItem[], groups: readonly DeltaItem[]): Promise<void> {
      const { fence } = await begin();
      await store.reconcile.comparePage(fence, 'users', { items: users, deltaLink: 'u' });
      await store.reconcile.comparePage(fence, 'groups', { items: groups, deltaLink: 'g' });
      expect(await store.reconcile.finish(fence)).not.toBe('superseded');
      await age();
    }

    async function begin(): Promise<OpenReconcile> {
      await store.reconcile.ask(tenantNo);
      const opened = await store.reconcile.open(tenantNo);
      if (opened === 'nothing_due') throw new Error('Nothing is due');
      return opened;
    }

    const age = () =>
      sql`UPDATE suspect SET seen_at = seen_at - interval '6 minutes' WHERE tenant_no = ${tenantNo}`.execute(
        backend().db,
      );

    async function dueIn(slice: OpenSlice): Promise<WantedObjects> {
      const due = await store.sync.suspectsDue(fencesOf(slice));
      if (!due || due === 'superseded') throw new Error('Nothing is due');
      return due;
    }

    async function roundAtItsEnd(): Promise<OpenSlice> {
      const slice = await openRound(store, tenantNo);
      await applyPages(store, slice, 'users', []);
      await applyPages(store, slice, 'groups', []);
      return slice;
    }

    test('that begins anew between a second look and its end lets nothing go that was seen', async () => {
      const before = await snapshotOf(store, tenantNo);
      // An older read: it did not see what the mirror has.
      await compare([], []);
      const slice = await roundAtItsEnd();
      const cursor = await store.feed.head();
      const due = await dueIn(slice);
      expect(due.ids).toEqual([U(1), U(2), U(3)]);
      await store.sync.applyPicked(slice.feeds.users.fence, due, { items: people });
      await begin();
      await store.sync.settleSuspects(fencesOf(slice), due);
      await finishRound(store, slice);
      expect(await snapshotOf(store, tenantNo)).toEqual(before);
      expect(await toldAfter(store, cursor, tenantNo)).toEqual([]);
    });

    test('may begin anew at the very moment at which a second look is settled, or the feed speaks', async () => {
      const before = await snapshotOf(store, tenantNo);
      for (let n = 0; n < 8; n++) {
        await compare([], []);
        const slice = await roundAtItsEnd();
        const due = await dueIn(slice);
        await store.sync.applyPicked(slice.feeds.users.fence, due, { items: people });
        const fence = await Promise.all([
          begin().then((opened) => opened.fence),
          store.sync.settleSuspects(fencesOf(slice), due),
        ]).then(([first]) => first);
        await finishRound(store, slice);
        const next = await openRound(store, tenantNo);
        await Promise.all([
          store.reconcile.comparePage(fence, 'users', { items: people.map(({ id }) => object(id)), nextLink: 'n' }),
          store.sync.applyPages(next.feeds.users.fence, [{ items: people.toReversed(), deltaLink: 'u' }]),
        ]);
        await applyPages(store, next, 'groups', []);
        await finishRound(store, next);
        expect(await snapshotOf(store, tenantNo)).toEqual(before);
        await store.reconcile.startOver(fence, 0);
      }
    });

    test('believes of a second look that was cut short nothing but what the next one sees', async () => {
      await compare([], people.length > 0 ? [object(G(1), {}, members)] : []);
      let slice = await roundAtItsEnd();
      await store.sync.applyPicked(slice.feeds.users.fence, await dueIn(slice), { items: people });
      // The slice ends here; until the next one somebody goes, and delta query is silent about it.
      slice = await roundAtItsEnd();
      const due = await dueIn(slice);
      await store.sync.applyPicked(slice.feeds.users.fence, due, { items: people.slice(1) });
      await store.sync.settleSuspects(fencesOf(slice), due);
      await finishRound(store, slice);
      expect(Object.keys((await snapshotOf(store, tenantNo)).users)).toEqual([U(2), U(3)]);
    });

    test('believes a second look also where the feed of the groups is refused afterwards', async () => {
      await compare(people, [object(G(1), {}, members.slice(1))]);
      const slice = await openRound(store, tenantNo);
      await applyPages(store, slice, 'users', []);
      const due = await dueIn(slice);
      const items = [object(G(1), {}, members.slice(1))];
      await store.sync.applyPicked(slice.feeds.groups.fence, due, { items });
      await store.sync.settleSuspects(fencesOf(slice), due);
      expect(await store.sync.setAside(fencesOf(slice), 'groups')).toBe('set_aside');
      await finishRound(store, slice);
      expect(Object.keys((await snapshotOf(store, tenantNo)).memberships)).toHaveLength(members.length - 1);
    });

    test('finds who is in scope and was not shown when asked for, and nobody else', async () => {
      ({ no: tenantNo } = await boundTenant(store));
      await store.tenants.update(tenantNo, { groupsToSync: [G(1)], scope: { guests: false } });
      const guest = object(U(4), { displayName: 'a', userType: 'Guest' });
      const group = object(G(1), {}, [...members, joins(U(4))]);
      let slice = await openRound(store, tenantNo);
      await store.sync.unresolvedGroups(fencesOf(slice));
      await applyPages(store, slice, 'groups', [[object(G(1), {}, members.slice(0, 2)), object(G(2))]]);
      await applyPages(store, slice, 'users', [people]);
      await finishRound(store, slice);
      slice = await openRound(store, tenantNo);
      await applyPages(store, slice, 'users', []);
      await applyPages(store, slice, 'groups', [[group]]);
      expect(await fill(store, slice, () => undefined)).toEqual([U(3), U(4)]);
      await finishRound(store, slice);
      const cursor = await store.feed.head();
      await compare([...people, guest, object(U(5))], [group, object(G(2), {}, [joins(U(5))])]);
      slice = await roundAtItsEnd();
      const due = await dueIn(slice);
      expect(due.ids).toEqual([U(3)]);
      await store.sync.applyPicked(slice.feeds.users.fence, due, { items: people.slice(2) });
      await store.sync.settleSuspects(fencesOf(slice), due);
      await finishRound(store, slice);
      expect((await toldAfter(store, cursor, tenantNo)).slice(0, 2)).toEqual([
        `user.created ${U(3)}`,
        `membership.added ${G(1)}:${U(3)}`,
      ]);
    });

    test('that is asked for while one runs follows it, which may have passed already what is meant', async () => {
      await begin();
      await compare(people, [object(G(1), {}, members)]);
      expect(await isDue()).toBe(true);
      await compare(people, [object(G(1), {}, members)]);
      expect(await isDue()).toBe(false);
    });

    test('begins anew under another scope, and only then', async () => {
      const { fence } = await begin();
      await store.tenants.update(tenantNo, { name: 'Another name' });
      const page = { items: people, nextLink: 'n' };
      expect(await store.reconcile.comparePage(fence, 'users', page)).toBe('compared');
      await store.tenants.update(tenantNo, { groupsToSync: [G(1)] });
      expect(await store.reconcile.comparePage(fence, 'users', page)).toBe('superseded');
      const opened = await begin();
      expect(opened).toMatchObject({ step: 'compare', feeds: { users: { done: false, link: undefined } } });
    });

    test('counts what it, or a second look, could not read', async () => {
      const { fence } = await begin();
      const skipped = { 'object without an id': 2 };
      await store.reconcile.comparePage(fence, 'users', { items: people, deltaLink: 'u', skipped });
      await store.reconcile.comparePage(fence, 'groups', { items: [], deltaLink: 'g' });
      await store.reconcile.finish(fence);
      const slice = await roundAtItsEnd();
      const due: WantedObjects = { feed: 'users', ids: people.map(({ id }) => id), why: 'second_look' };
      await store.sync.applyPicked(slice.feeds.users.fence, due, { items: people, skipped });
      const kept = await store.sync.skipped(tenantNo);
      expect(kept).toEqual([expect.objectContaining({ feed: 'users', reason: 'object without an id', count: 4 })]);
    });

    test('asks for counts once an hour, whatever is answered', async () => {
      await sql`UPDATE reconcile SET counted_at = now() - interval '2 hours' WHERE tenant_no = ${tenantNo}`.execute(
        backend().db,
      );
      expect(await store.reconcile.open(tenantNo)).toMatchObject({ step: 'count' });
      expect(await store.reconcile.open(tenantNo)).toBe('nothing_due');
    });

    test.each([
      ['a pause', { phase: 'delta_sync', paused: true }],
      ['a revocation', { phase: 'revoked', paused: false }],
    ] as const)('writes nothing after %s', async (_, change) => {
      const { fence } = await begin();
      await store.tenants.record({ tenantNo, ...change, problem: null, taken: [] });
      expect(await store.reconcile.comparePage(fence, 'users', { items: people, deltaLink: 'u' })).toBe('superseded');
      expect(await store.reconcile.finish(fence)).toBe('superseded');
    });

    test('writes nothing after a deletion was asked for', async () => {
      const { fence } = await begin();
      await store.intents.add(tenantNo, 'delete');
      expect(await store.reconcile.comparePage(fence, 'users', { items: people, deltaLink: 'u' })).toBe('superseded');
      expect((await liveTenant(store, tenantNo)).deletingAt).not.toBeNull();
    });

    test('tells of what kind the drift is, once however often the look is cut short', async () => {
      const cursor = await store.feed.head();
      const users = [object(U(1), { displayName: 'b' }), object(U(3), { displayName: 'a' }), object(U(4))];
      const groups = [object(G(1), {}, [joins(U(1)), joins(U(4))]), object(G(2))];
      await compare(users, groups);
      expect(await store.reconcile.status(tenantNo)).toMatchObject({ suspected: 5, waiting: 5, drift: 0 });
      await secondLook({ user: users, group: groups }, 'cut');
      await finishRound(store, await secondLook({ user: users, group: groups }));
      expect((await toldAfter(store, cursor, tenantNo)).filter((told) => !told.startsWith('sync'))).toEqual([
        `user.updated ${U(1)}`,
        `user.created ${U(4)}`,
        `group.created ${G(2)}`,
        `membership.added ${G(1)}:${U(4)}`,
        `membership.removed ${G(1)}:${U(2)}`,
        `membership.removed ${G(1)}:${U(3)}`,
        `user.deleted ${U(2)}`,
      ]);
      expect((await liveTenant(store, tenantNo)).reconcile).toMatchObject({
        waiting: 0,
        drift: 7,
        driftByKind: {
          user: { missing: 1, extra: 1, different: 1 },
          group: { missing: 1, extra: 0, different: 0 },
          membership: { missing: 1, extra: 2, different: 0 },
        },
      });
    });

    /** All of a second look, or (`cut`) without the end of its first part. */
    async function secondLook(
      truth: Readonly<Record<'user' | 'group', readonly DeltaItem[]>>,
      cut?: 'cut',
    ): Promise<OpenSlice> {
      const slice = await roundAtItsEnd();
      for (;;) {
        const due = await store.sync.suspectsDue(fencesOf(slice));
        if (due === 'superseded') throw new Error('Superseded');
        if (!due) return slice;
        const items = truth[KIND_OF[due.feed]].filter(({ id }) => due.ids.includes(id));
        await store.sync.applyPicked(slice.feeds[due.feed].fence, due, { items });
        if (cut) return slice;
        await store.sync.settleSuspects(fencesOf(slice), due);
      }
    }

    test('does not take the word of the feed about a part of something for all of it', async () => {
      const groups = [object(G(1), {}, [joins(U(1)), joins(U(2))])];
      await compare(people, groups);
      await runRound(store, tenantNo, { groups: [[object(G(1), { displayName: 'new' })]] });
      // The feed spoke of it a moment ago, and no read is certain to be newer.
      await finishRound(store, await secondLook({ user: people, group: groups }));
      expect(await store.reconcile.status(tenantNo)).toMatchObject({ waiting: 1, drift: 0 });
      await age();
      await finishRound(store, await secondLook({ user: people, group: groups }));
      expect(Object.keys((await snapshotOf(store, tenantNo)).memberships)).toEqual([
        `${G(1)}:${U(1)}`,
        `${G(1)}:${U(2)}`,
      ]);
    });

    test('leaves what cannot be looked at again as the feed told it', async () => {
      const before = await snapshotOf(store, tenantNo);
      await compare([], [object(G(1), {}, members)]);
      const slice = await roundAtItsEnd();
      const due = await dueIn(slice);
      await store.sync.dropSuspects(fencesOf(slice), due);
      expect(await store.sync.suspectsDue(fencesOf(slice))).toBeUndefined();
      await finishRound(store, slice);
      expect(await snapshotOf(store, tenantNo)).toEqual(before);
    });

    const circle = ['a', 'b', 'c', 'd', 'e'];
    test.each([
      ['lead in a circle', (n: number) => circle[n % circle.length] ?? '', 3 * circle.length],
      ['go on and on with nothing new', (n: number) => `link ${n}`, 250],
    ])('notices that its links %s, however many slices that takes', async (_, linkOf, atMost) => {
      await store.reconcile.ask(tenantNo);
      let compared = '';
      for (let n = 0; compared !== 'faulty'; n++) {
        expect(n).toBeLessThan(atMost);
        const opened = await store.reconcile.open(tenantNo);
        if (opened === 'nothing_due') throw new Error('Nothing is due');
        compared = await store.reconcile.comparePage(opened.fence, 'users', { items: people, nextLink: linkOf(n) });
      }
    });

    const isDue = async () => Date.parse((await store.reconcile.status(tenantNo))?.dueAt ?? '') <= Date.now();
    /** An hour later. */
    async function count(users: number): Promise<void> {
      await sql`UPDATE reconcile SET counted_at = now() - interval '2 hours' WHERE tenant_no = ${tenantNo}`.execute(
        backend().db,
      );
      const opened = await store.reconcile.open(tenantNo);
      if (opened === 'nothing_due') throw new Error('Nothing is due');
      expect(opened.step).toBe('count');
      await store.reconcile.counted(opened.fence, { users, groups: 1 });
    }

    test('is not wanted again for a difference of counts behind which it found nothing', async () => {
      await count(5);
      expect(await isDue()).toBe(false);
      await count(5);
      expect(await isDue()).toBe(true);
      await compare(people, [object(G(1), {}, members)]);
      for (let hour = 0; hour < 4; hour++) await count(5);
      expect(await isDue()).toBe(false);
      // Another one is a suspicion, a day later at the soonest.
      for (let hour = 0; hour < 4; hour++) await count(6);
      expect(await isDue()).toBe(false);
      const inADay = Date.parse((await store.reconcile.status(tenantNo))?.dueAt ?? '') - Date.now();
      expect(inADay).toBeGreaterThan(23 * 3_600_000);
      expect(inADay).toBeLessThan(25 * 3_600_000);
    });

    test('is wanted at once for a difference of counts after one that had found drift', async () => {
      const now = people.slice(0, 2);
      await compare(now, [object(G(1), {}, members)]);
      await finishRound(store, await secondLook({ user: now, group: [object(G(1), {}, members)] }));
      for (let hour = 0; hour < 2; hour++) await count(7);
      expect(await isDue()).toBe(true);
    });
  });
}
