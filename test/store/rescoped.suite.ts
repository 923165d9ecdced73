import { beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { RoundKind } from '../../src/domain/activities.ts';
import type { DeltaItem, Feed } from '../../src/domain/directory.ts';
import type { Assignment } from '../../src/store/face/sync.ts';
import type { Backend } from './backend.ts';
import {
  applyPages,
  boundTenant,
  fencesOf,
  finishRound,
  G,
  HASHES,
  joins,
  leaves,
  object,
  openRound,
  removed,
  snapshotOf,
  U,
} from './rounds.ts';

const PEOPLE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Removals of a tenant with a scope that are held, or ought to be, while scope or directory change once more. */
export function rescopedSuite(backend: () => Backend): void {
  describe('a scope beside the guard', () => {
    let no = 0;
    const store = () => backend().store;
    const person = (n: number) => object(U(n), { displayName: `Person ${n}` });
    /** What the directory has, to be asked for by id. */
    const directory = new Map<string, DeltaItem>();

    beforeEach(async () => {
      ({ no } = await boundTenant(store()));
      await store().tenants.update(no, {
        guard: {
          users: { count: 2, percent: 10 },
          groups: { count: 2, percent: 10 },
          memberships: { count: 100, percent: 20 },
        },
      });
      directory.clear();
      for (const n of PEOPLE) directory.set(U(n), person(n));
      directory.set(
        G(1),
        object(
          G(1),
          {},
          [1, 2, 3, 4, 5, 6].map((n) => joins(U(n))),
        ),
      );
      directory.set(
        G(2),
        object(
          G(2),
          {},
          [7, 8, 9, 10].map((n) => joins(U(n))),
        ),
      );
    });

    interface Said {
      readonly kind?: RoundKind;
      readonly users?: readonly DeltaItem[];
      readonly groups?: readonly DeltaItem[];
      readonly assigned?: readonly Assignment[];
      /** The feed of groups is refused, and set aside. */
      readonly aside?: boolean;
      /** After the groups. */
      readonly between?: () => Promise<void>;
    }
    const whole = (feed: Feed) =>
      [...directory.values()].filter(({ id }) => id.startsWith(feed === 'users' ? 'a' : 'b'));

    const round = async (said: Said = {}) => {
      const slice = await openRound(store(), no, said.kind);
      const fences = fencesOf(slice);
      const { sync } = store();
      if (slice.scope) await sync.unresolvedGroups(fences);
      if (slice.scope?.assignedOnly) await sync.assignedListed(fences, said.assigned ?? []);
      const full = slice.kind === 'full';
      const fill = async () => {
        for (;;) {
          const wanted = await sync.wantedObjects(fences, 50);
          if (wanted === 'superseded') throw new Error('Superseded');
          if (!wanted) return;
          const items = wanted.ids.flatMap((id) => directory.get(id) ?? []);
          await sync.applyPicked(slice.feeds[wanted.feed].fence, wanted, { items });
          await sync.objectsPicked(fences, wanted);
        }
      };
      if (said.aside) await sync.setAside(fences, 'groups');
      else await applyPages(store(), slice, 'groups', [said.groups ?? (full ? whole('groups') : [])]);
      await said.between?.();
      if (full) await fill();
      await applyPages(store(), slice, 'users', [said.users ?? (full ? whole('users') : [])]);
      if (!said.aside) await fill();
      return finishRound(store(), slice);
    };
    const people = async () => Object.keys((await snapshotOf(store(), no)).users);
    const counts = async () => (await store().held.summary(no))?.counts;
    const approve = async () => {
      await store().intents.add(no, 'approve_held');
      await store().held.approve(no, () => undefined);
    };
    const all = (...numbers: readonly number[]) => numbers.map(U);

    test('lets go of whom the operator takes out, also where they are held', async () => {
      await round();
      await round({ users: [7, 8, 9].map((n) => removed(U(n))) });
      expect(await counts()).toMatchObject({ users: 3 });
      await store().tenants.update(no, { groupsToSync: [G(1)] });
      await round();
      expect(await people()).toEqual(all(1, 2, 3, 4, 5, 6));
      expect(await counts()).toBeUndefined();
    });

    test('holds nobody any more whom the operator lets in again', async () => {
      await store().tenants.update(no, { groupsToSync: [G(1)] });
      await round();
      await round({ groups: [object(G(1), {}, [leaves(U(1)), leaves(U(2)), leaves(U(3))])] });
      expect(await counts()).toMatchObject({ users: 3, memberships: 3 });
      directory.set(
        G(1),
        object(
          G(1),
          {},
          [4, 5, 6].map((n) => joins(U(n))),
        ),
      );
      await store().tenants.update(no, { groupsToSync: [] });
      await round();
      expect(await counts()).toMatchObject({ users: 0, memberships: 3 });
      await approve();
      expect(await people()).toEqual(all(...PEOPLE));
    });

    test('holds nobody any more for a list that the operator asks for no longer', async () => {
      // In no group, so that no feed speaks of them but by themselves.
      for (const n of [1, 2]) directory.delete(G(n));
      await store().tenants.update(no, { scope: { assignedOnly: true } });
      await round({ assigned: PEOPLE.map((n) => ({ principalId: U(n), kind: 'user' as const })) });
      await round();
      expect(await counts()).toMatchObject({ users: 10 });
      await store().tenants.update(no, { scope: {} });
      await round();
      expect(await counts()).toBeUndefined();
      expect(await people()).toEqual(all(...PEOPLE));
    });

    test('holds nobody any more whose group came back', async () => {
      await store().tenants.update(no, { groupsToSync: [G(1), G(2)], scope: { nested: true } });
      directory.set(G(3), object(G(3), {}, [joins(U(9)), joins(U(10))]));
      directory.set(G(2), object(G(2), {}, [joins(U(7)), joins(U(8)), joins(G(3), 'group')]));
      await round();
      await round({ groups: [removed(G(2))] });
      expect(await counts()).toMatchObject({ groups: 2, users: 4 });
      // Restored before anybody decides: of its members the feed says nothing.
      await round({ groups: [object(G(2))] });
      expect(await counts()).toBeUndefined();
      expect(await people()).toEqual(all(...PEOPLE));
    });

    describe('with groups inside of each other', () => {
      const cut = () => round({ groups: [object(G(1), {}, [leaves(G(2), 'group')])] });
      const mend = () => round({ groups: [object(G(1), {}, [joins(G(2), 'group')])] });

      beforeEach(async () => {
        // Each holds the next, and two people.
        const chain = [1, 2, 3, 4, 5].map((n) =>
          object(G(n), {}, [joins(U(2 * n - 1)), joins(U(2 * n)), ...(n < 5 ? [joins(G(n + 1), 'group')] : [])]),
        );
        for (const group of chain) directory.set(group.id, group);
        await store().tenants.update(no, { groupsToSync: [G(1)], scope: { nested: true } });
        await round();
        expect(await people()).toEqual(all(...PEOPLE));
        await cut();
        expect(await counts()).toMatchObject({ groups: 4, users: 8 });
      });

      test('holds nothing any more as soon as the way to all of them is open again', async () => {
        await mend();
        expect(await counts()).toBeUndefined();
        expect(await people()).toEqual(all(...PEOPLE));
      });

      test('takes them up again where they were let go before it was known to be open', async () => {
        await approve();
        expect(await people()).toEqual(all(1, 2));
        await mend();
        expect(await people()).toEqual(all(...PEOPLE));
      });

      test('takes them up again where they were let go while the round that opens it ran', async () => {
        await round({ groups: [object(G(1), {}, [joins(G(2), 'group')])], between: approve });
        await round();
        expect(await people()).toEqual(all(...PEOPLE));
        expect(await counts()).toBeUndefined();
      });
    });

    test('does not forget of who left the scope that they are deleted, too', async () => {
      await store().tenants.update(no, { groupsToSync: [G(1), G(2)] });
      await round();
      await round({ groups: [removed(G(2))], users: [removed(U(7))] });
      expect(await counts()).toMatchObject({ groups: 1, users: 4 });
      await round({ users: [removed(U(8))] });
      // The group is restored, two of its people are not.
      await round({ groups: [object(G(2))] });
      expect(await counts()).toMatchObject({ groups: 0, users: 2 });
      await approve();
      expect(await people()).toEqual(all(1, 2, 3, 4, 5, 6, 9, 10));
      await round({ users: [7, 8].map(person) });
      expect(await people()).toEqual(all(...PEOPLE));
    });

    test('takes an empty list of the assigned for no order to drop everybody', async () => {
      await round();
      await store().tenants.update(no, { scope: { assignedOnly: true } });
      expect(await round()).toHaveProperty('heldSince');
      expect(await people()).toEqual(all(...PEOPLE));
      const assigned = [1, 2].map((n) => ({ principalId: U(n), kind: 'user' as const }));
      await round({ assigned });
      expect(await people()).toEqual(all(1, 2));
      expect(await counts()).toBeUndefined();
    });

    test('weighs who is assigned no more, whatever the operator changes beside it', async () => {
      await store().tenants.update(no, { scope: { assignedOnly: true } });
      const assigned = PEOPLE.map((n) => ({ principalId: U(n), kind: 'user' as const }));
      await round({ assigned });
      expect(await people()).toEqual(all(...PEOPLE));
      await store().tenants.update(no, { scope: { assignedOnly: true, guests: false } });
      expect(await round({ assigned: assigned.slice(0, 2) })).toHaveProperty('heldSince');
      expect(await people()).toEqual(all(...PEOPLE));
      await store().held.reject(no);
      // The directory says so still.
      expect(await round({ kind: 'full', assigned: assigned.slice(0, 2) })).toHaveProperty('heldSince');
      expect(await people()).toEqual(all(...PEOPLE));
      await approve();
      await round({ assigned: assigned.slice(0, 2) });
      expect(await people()).toEqual(all(1, 2));
    });

    test('drops nobody while the members of assigned groups cannot be read', async () => {
      await round();
      await store().tenants.update(no, { scope: { assignedOnly: true } });
      const assigned = [{ principalId: G(1), kind: 'group' as const }];
      await round({ assigned, aside: true });
      expect(await people()).toEqual(all(...PEOPLE));
      await round({ assigned });
      expect(await people()).toEqual(all(1, 2, 3, 4, 5, 6));
    });

    test('asks for all others where Graph refuses to show the groups that are assigned', async () => {
      await store().tenants.update(no, { groupsToSync: [G(1)], scope: { assignedOnly: true } });
      const assigned = [
        { principalId: U(1), kind: 'user' as const },
        { principalId: G(5), kind: 'group' as const },
      ];
      await round({ assigned: assigned.slice(0, 1) });
      directory.set(U(11), object(U(11)));
      const slice = await openRound(store(), no);
      const fences = fencesOf(slice);
      const { sync } = store();
      await sync.assignedListed(fences, [...assigned, { principalId: U(11), kind: 'user' }]);
      await applyPages(store(), slice, 'users', []);
      await applyPages(store(), slice, 'groups', [[object(G(1), {}, [joins(U(11))])]]);
      const groups = { feed: 'groups' as const, ids: [G(5)], why: 'assigned' as const };
      expect(await sync.wantedObjects(fences, 50)).toEqual(groups);
      expect(await sync.objectsRefused(fences, groups)).toBe('put_off');
      expect(await sync.wantedObjects(fences, 50)).toEqual({ feed: 'users', ids: [U(11)], why: 'due' });
      await finishRound(store(), slice);
      expect(await sync.wantedObjects(fencesOf(await openRound(store(), no)), 50)).toEqual(groups);
    });

    test('asks for whom it lets in once, beginning where the last question ended', async () => {
      await store().tenants.update(no, { groupsToSync: [G(1)] });
      await round();
      await store().tenants.update(no, { groupsToSync: [G(1), G(2)] });
      const slice = await openRound(store(), no);
      const fences = fencesOf(slice);
      await store().sync.unresolvedGroups(fences);
      await store().sync.applyPicked(
        slice.feeds.groups.fence,
        { feed: 'groups', ids: [G(2)], why: 'due' },
        { items: [directory.get(G(2)) ?? object(G(2))] },
      );
      expect(await store().sync.wantedObjects(fences, 2)).toMatchObject({ ids: all(7, 8) });
      expect(await store().sync.wantedObjects(fences, 2, { after: U(8) })).toMatchObject({ ids: all(9, 10) });
      expect(await store().sync.wantedObjects(fences, 2, { after: U(10) })).toBeUndefined();
    });

    test('judges ten thousand who leave one group in seconds', async () => {
      if (!backend().concurrent) return;
      const many = Array.from({ length: 10_000 }, (_, n) => n + 1);
      for (const n of many) directory.set(U(n), object(U(n)));
      directory.set(
        G(1),
        object(
          G(1),
          {},
          many.map((n) => joins(U(n))),
        ),
      );
      await store().tenants.update(no, { groupsToSync: [G(1)] });
      await round();
      // As the server does by itself, after a while.
      await sql`ANALYZE`.execute(backend().db);
      const began = Date.now();
      const left = many.slice(1).map((n) => leaves(U(n)));
      expect(await round({ groups: [object(G(1), {}, left)] })).toHaveProperty('heldSince');
      await approve();
      // Each compared with each other it would be twenty.
      expect(Date.now() - began).toBeLessThan(8_000);
      expect(await people()).toEqual(all(1));
    }, 60_000);

    test('says again of a completed round that entries fit no group', async () => {
      await store().tenants.update(no, { groupsToSync: [G(1), 'Nobody'] });
      const ended = await round();
      expect(ended).toMatchObject({ unresolvedGroups: 1 });
      const roundId = (
        await backend().db.selectFrom('round').select('id').where('tenant_no', '=', no).executeTakeFirst()
      )?.id;
      const again = await store().sync.openSlice({
        tenantNo: no,
        roundId: roundId ?? '',
        kind: 'full',
        queryHash: HASHES,
      });
      expect(again).toEqual({ completed: ended });
    });

    test('previews for a tenant of thousands who of hundreds of thousands is assigned in seconds', async () => {
      await round();
      const many = Array.from({ length: 5_000 }, (_, n) => U(n + 1));
      await round({ users: many.map((id) => object(id)) });
      const assigned = Array.from({ length: 400_000 }, (_, n) => U(n + 4_001)).reverse();
      const target = { guests: true, disabled: true, groups: null, members: [], assigned };
      const began = Date.now();
      const leave = await store().preview.leavers(no, target, 1);
      expect(leave.users).toMatchObject({ count: 4_000, sample: [{ id: U(1) }] });
      expect(Date.now() - began).toBeLessThan(3_000);
    });

    test('takes a list of deleted groups for no order to drop everybody', async () => {
      await round();
      await round({ groups: [removed(G(2))] });
      await store().tenants.update(no, { groupsToSync: [G(2)] });
      await round();
      expect(await people()).toEqual(all(...PEOPLE));
      await round({ groups: [object(G(2))] });
    });
  });
}
