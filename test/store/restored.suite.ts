import { beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Membership, MemberType } from '../../src/domain/directory.ts';
import type { Backend } from './backend.ts';
import {
  applyPages,
  boundTenant,
  finishRound,
  G,
  joins,
  leaves,
  liveTenant,
  object,
  openRound,
  removed,
  runRound,
  snapshotOf,
  toldAfter,
  U,
  uuid,
} from './rounds.ts';

const APP = uuid('d', 1);
const is = (group: number, memberId: string, memberType: MemberType = 'user'): Membership => ({
  groupId: G(group),
  memberId,
  memberType,
});

/** What a look at Graph makes of memberships that were kept over a soft deletion. */
export function restoredSuite(backend: () => Backend): void {
  describe('whoever is restored', () => {
    let no = 0;
    let cursor = '';
    const store = () => backend().store;
    const remember = async () => {
      cursor = await store().feed.head();
    };
    const told = async () => {
      const lines = await toldAfter(store(), cursor, no);
      await remember();
      return lines.filter((line) => !line.startsWith('sync.'));
    };
    const memberships = async () => Object.keys((await snapshotOf(store(), no)).memberships);
    /** As if so long had passed since. */
    const later = async (interval: string) => {
      await sql`UPDATE restored_object SET restored_at = restored_at - ${interval}::interval,
        looked_at = looked_at - ${interval}::interval WHERE tenant_no = ${no}`.execute(backend().db);
    };

    beforeEach(async () => {
      ({ no } = await boundTenant(store()));
      await runRound(store(), no, {
        users: [[object(U(1)), object(U(2))]],
        groups: [
          [
            object(G(1), {}, [joins(U(1)), joins(U(2)), joins(APP, 'servicePrincipal')]),
            object(G(2), {}, [joins(U(1)), joins(G(1), 'group')]),
            object(G(3)),
          ],
        ],
      });
      await runRound(store(), no, { users: [[removed(U(1))]] });
      await remember();
    });

    test('gets back the memberships that Graph lists, and those alone', async () => {
      await runRound(store(), no, { users: [[object(U(1))]], looks: () => [is(2, U(1)), is(3, U(1))] });
      expect(await told()).toEqual([
        `user.restored ${U(1)}`,
        `membership.added ${G(2)}:${U(1)}`,
        `membership.added ${G(3)}:${U(1)}`,
      ]);
      expect(await memberships()).not.toContain(`${G(1)}:${U(1)}`);
      expect((await liveTenant(store(), no)).counts).toEqual({ users: 2, groups: 3, memberships: 5 });
      await runRound(store(), no, { looks: () => [] });
      expect(await told()).toEqual([]);
    });

    test('loses for good what two looks have missed, and what only a look had brought', async () => {
      await runRound(store(), no, { users: [[object(U(1))]], looks: () => [is(2, U(1)), is(3, U(1))] });
      await told();
      await later('10 minutes');
      await runRound(store(), no, { looks: () => [is(2, U(1))] });
      expect(await told()).toEqual([`membership.removed ${G(3)}:${U(1)}`]);
      const { rows } =
        await sql`SELECT 1 FROM membership WHERE tenant_no = ${no} AND member_id = ${U(1)}::uuid`.execute(backend().db);
      expect(rows).toHaveLength(1);
    });

    test('gets back at the second look what an old answer had missed', async () => {
      await runRound(store(), no, { users: [[object(U(1))]], looks: () => [] });
      expect(await told()).toEqual([`user.restored ${U(1)}`]);
      await later('10 minutes');
      await runRound(store(), no, { looks: () => [is(1, U(1)), is(2, U(1))] });
      expect(await told()).toEqual([`membership.added ${G(1)}:${U(1)}`, `membership.added ${G(2)}:${U(1)}`]);
    });

    test('keeps what the feed says, whatever an older answer says', async () => {
      await runRound(store(), no, {
        users: [[object(U(1))]],
        groups: [[object(G(3), {}, [joins(U(1))]), object(G(2), {}, [leaves(U(1))])]],
        looks: () => [is(2, U(1))],
      });
      expect(await told()).toEqual([`user.restored ${U(1)}`, `membership.added ${G(3)}:${U(1)}`]);
      await runRound(store(), no, { groups: [[object(G(1), {}, [joins(U(1))])]] });
      expect(await told()).toEqual([`membership.added ${G(1)}:${U(1)}`]);
      await later('10 minutes');
      await runRound(store(), no, { looks: () => [is(2, U(1))] });
      expect(await told()).toEqual([]);
      expect(await memberships()).toEqual(expect.arrayContaining([`${G(1)}:${U(1)}`, `${G(3)}:${U(1)}`]));
    });

    test('stays without them while Graph does not show it, and has them after an hour by the word of the feed', async () => {
      await runRound(store(), no, { users: [[object(U(1))]], looks: () => 'not_seen' });
      await runRound(store(), no, { looks: () => 'not_seen' });
      expect(await told()).toEqual([`user.restored ${U(1)}`]);
      await later('2 hours');
      await runRound(store(), no, { looks: () => 'not_seen' });
      expect(await told()).toEqual([`membership.added ${G(1)}:${U(1)}`, `membership.added ${G(2)}:${U(1)}`]);
      await runRound(store(), no, { looks: () => [] });
      expect(await told()).toEqual([]);
    });

    test('is looked at again after a crash, and not where it goes again in the same round', async () => {
      const slice = await openRound(store(), no, 'delta', 'crashes');
      await applyPages(store(), slice, 'users', [[object(U(1))]]);
      const again = await openRound(store(), no, 'delta', 'crashes');
      expect(again.restored).toBe(true);
      await applyPages(store(), again, 'groups', []);
      await finishRound(store(), again, () => [is(1, U(1)), is(2, U(1))]);
      expect(await told()).toEqual([
        `user.restored ${U(1)}`,
        `membership.added ${G(1)}:${U(1)}`,
        `membership.added ${G(2)}:${U(1)}`,
      ]);
      await runRound(store(), no, { users: [[removed(U(1))]] });
      await remember();
      await runRound(store(), no, {
        users: [[object(U(1))], [removed(U(1))]],
        looks: () => {
          throw new Error('Nobody is to be looked at');
        },
      });
      expect(await told()).toEqual([`user.restored ${U(1)}`, `user.deleted ${U(1)}`]);
    });

    test('as a group keeps its service principals, of which Graph lists none, and its deleted members', async () => {
      await runRound(store(), no, { groups: [[removed(G(1))]] });
      await remember();
      await runRound(store(), no, { groups: [[object(G(1))]], looks: () => [is(1, U(2)), is(2, G(1), 'group')] });
      expect((await told()).toSorted()).toEqual([
        `group.restored ${G(1)}`,
        `membership.added ${G(1)}:${U(2)}`,
        `membership.added ${G(1)}:${APP}`,
        `membership.added ${G(2)}:${G(1)}`,
      ]);
      await later('10 minutes');
      await runRound(store(), no, { looks: () => [is(1, U(2)), is(2, G(1), 'group')] });
      expect(await told()).toEqual([]);
      await runRound(store(), no, { users: [[object(U(1))]], looks: () => [is(1, U(1)), is(2, U(1))] });
      expect((await told()).toSorted()).toEqual([
        `membership.added ${G(1)}:${U(1)}`,
        `membership.added ${G(2)}:${U(1)}`,
        `user.restored ${U(1)}`,
      ]);
    });

    test('as a group has whom Graph lists at once, though nothing else is known of them', async () => {
      await runRound(store(), no, { groups: [[object(G(3), {}, [joins(U(7))])]] });
      await runRound(store(), no, { groups: [[removed(G(3))]] });
      await remember();
      await runRound(store(), no, { groups: [[object(G(3))]], looks: () => [is(3, U(7))] });
      expect(await told()).toEqual([`group.restored ${G(3)}`, `membership.added ${G(3)}:${U(7)}`]);
      expect(await memberships()).toContain(`${G(3)}:${U(7)}`);
    });

    test('in a full round has what the round lists, also before it is known to be back', async () => {
      const slice = await openRound(store(), no, 'full');
      await applyPages(store(), slice, 'groups', [
        [object(G(1), {}, [joins(U(1)), joins(U(2))]), object(G(2), {}, [joins(G(1), 'group')]), object(G(3))],
      ]);
      await applyPages(store(), slice, 'users', [[object(U(1)), object(U(2))]]);
      await finishRound(store(), slice, () => [is(2, U(1))]);
      expect(await told()).toEqual([
        `user.restored ${U(1)}`,
        `membership.added ${G(1)}:${U(1)}`,
        `membership.added ${G(2)}:${U(1)}`,
        `membership.removed ${G(1)}:${APP}`,
      ]);
    });
  });
}
