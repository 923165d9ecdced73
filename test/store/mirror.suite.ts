import { beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { DeltaItem, Membership, MemberType } from '../../src/domain/directory.ts';
import type { Backend } from './backend.ts';
import {
  applyPages,
  boundTenant,
  eventsAfter,
  fencesOf,
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

const is = (memberId: string, group = 1, memberType: MemberType = 'user'): Membership => ({
  groupId: G(group),
  memberId,
  memberType,
});

/** What pages, removals and rounds do to the mirror, and what they tell. */
export function mirrorSuite(backend: () => Backend): void {
  let no = 0;
  let cursor = '';
  const store = () => backend().store;
  const told = () => toldAfter(store(), cursor, no);
  const remember = async () => {
    cursor = await store().feed.head();
  };

  beforeEach(async () => {
    ({ no } = await boundTenant(store()));
    await remember();
  });

  const importDirectory = async () => {
    await runRound(store(), no, {
      users: [[object(U(1), { displayName: 'Ada', accountEnabled: true }), object(U(2), { displayName: 'Bob' })]],
      groups: [
        [object(G(1), { displayName: 'All' }, [joins(U(1)), joins(U(2))]), object(G(2), {}, [joins(G(1), 'group')])],
      ],
    });
    await remember();
  };

  describe('the first import', () => {
    test('tells only its summary', async () => {
      const summary = await runRound(store(), no, {
        users: [
          [object(U(1), { displayName: 'Ada', mail: null })],
          [object(U(1), { jobTitle: 'Countess' }), object(U(2))],
        ],
        groups: [[object(G(1), { displayName: 'All' }, [joins(U(1)), joins(U(9)), joins(uuid('d', 1), 'device')])]],
      });
      const events = await eventsAfter(store(), cursor, no);
      expect(events.map((event) => event.type)).toEqual(['sync.completed']);
      expect(summary).toMatchObject({ kind: 'full', pages: 3 });
      const counts = { users: 2, groups: 1, memberships: 3 };
      expect(events[0]?.data).toEqual({ ...summary, counts });
      expect(await liveTenant(store(), no)).toMatchObject({
        counts,
        lastSync: summary,
        asOf: summary.startedAt,
        round: null,
      });
      expect(await snapshotOf(store(), no, 1)).toEqual({
        users: { [U(1)]: { displayName: 'Ada', jobTitle: 'Countess' }, [U(2)]: {} },
        groups: { [G(1)]: { displayName: 'All' } },
        memberships: {
          [`${G(1)}:${U(1)}`]: 'user',
          [`${G(1)}:${U(9)}`]: 'user',
          [`${G(1)}:${uuid('d', 1)}`]: 'device',
        },
      });
    });

    test('stays quiet when it has to start over, and drops what was gone by then', async () => {
      const slice = await openRound(store(), no, 'delta', 'first');
      expect(slice).toMatchObject({ kind: 'full', quiet: true });
      await applyPages(store(), slice, 'users', [[object(U(1)), object(U(2))]]);
      expect(await store().sync.restartAsFull(fencesOf(slice))).toBe('restarted');
      expect(await store().sync.applyPages(slice.feeds.groups.fence, [{ items: [], deltaLink: 'late' }])).toBe(
        'superseded',
      );
      await runRound(store(), no, { id: 'first', users: [[object(U(2))]] });
      expect(await told()).toEqual([expect.stringContaining('sync.completed')]);
      expect(Object.keys((await snapshotOf(store(), no)).users)).toEqual([U(2)]);
    });
  });

  describe('a delta round', () => {
    test('merges present keys, clears nulls, keeps absent ones', async () => {
      await importDirectory();
      await runRound(store(), no, {
        users: [[object(U(1), { displayName: null, mail: 'ada@x' })], [object(U(1), { mail: 'b@x' })]],
      });
      const [first, second] = await eventsAfter(store(), cursor, no);
      expect(first).toMatchObject({
        type: 'user.updated',
        subject: { kind: 'user', id: U(1) },
        data: { id: U(1), displayName: null, mail: 'ada@x', accountEnabled: true, jobTitle: null },
        changed: { displayName: ['Ada', null], mail: [null, 'ada@x'] },
        reason: 'directory',
      });
      expect(second?.changed).toEqual({ mail: ['ada@x', 'b@x'] });
      expect((await snapshotOf(store(), no)).users[U(1)]).toEqual({ accountEnabled: true, mail: 'b@x' });
    });

    test('tells nothing of what it repeats', async () => {
      await importDirectory();
      const summary = await runRound(store(), no, {
        users: [[object(U(1), { displayName: 'Ada' })], [object(U(1), { displayName: 'Ada' })]],
        groups: [[object(G(1), {}, [joins(U(1)), leaves(U(7))])], []],
      });
      expect(summary).toMatchObject({ kind: 'delta', changes: 0 });
      expect(await told()).toEqual([]);
    });

    test('keeps removals back until its end, and tells memberships before what they are of', async () => {
      await importDirectory();
      const slice = await openRound(store(), no);
      await applyPages(store(), slice, 'users', [
        [removed(U(1)), object(U(2), { accountEnabled: false, jobTitle: 'Clerk' })],
      ]);
      await applyPages(store(), slice, 'groups', [[removed(G(2), 'deleted'), object(G(1), {}, [leaves(U(2))])]]);
      expect(await told()).toEqual([`user.updated ${U(2)}`]);
      await remember();
      await finishRound(store(), slice);
      expect(await told()).toEqual([
        `user.updated ${U(2)}`,
        `membership.removed ${G(1)}:${U(2)}`,
        `membership.removed ${G(2)}:${G(1)}`,
        `group.deleted ${G(2)}`,
        `membership.removed ${G(1)}:${U(1)}`,
        `user.deleted ${U(1)}`,
        expect.stringContaining('sync.completed'),
      ]);
      expect(await snapshotOf(store(), no)).toEqual({
        users: { [U(2)]: { displayName: 'Bob', accountEnabled: false, jobTitle: 'Clerk' } },
        groups: { [G(1)]: { displayName: 'All' } },
        memberships: {},
      });
      expect(await liveTenant(store(), no)).toMatchObject({ counts: { users: 1, groups: 1, memberships: 0 } });
    });

    test('forgets a removal that it takes back', async () => {
      await importDirectory();
      await runRound(store(), no, {
        users: [
          [removed(U(1), 'deleted'), object(U(2), { accountEnabled: false })],
          [object(U(1)), object(U(2), { accountEnabled: true })],
        ],
        groups: [
          [object(G(1), {}, [leaves(U(1))]), removed(G(2))],
          [object(G(1), {}, [joins(U(1))]), object(G(2))],
        ],
      });
      expect(await told()).toEqual([`user.updated ${U(2)}`, expect.stringContaining('sync.completed')]);
    });

    test('keeps the removals of a round that did not end', async () => {
      await importDirectory();
      const slice = await openRound(store(), no);
      await applyPages(store(), slice, 'users', [[removed(U(1))]]);
      await runRound(store(), no);
      expect(await told()).toEqual([
        `membership.removed ${G(1)}:${U(1)}`,
        `user.deleted ${U(1)}`,
        expect.stringContaining('sync.completed'),
      ]);
    });

    test('takes the removal of what is not mirrored for nothing', async () => {
      await importDirectory();
      await runRound(store(), no, { users: [[removed(U(7)), removed(U(8), 'deleted')]], groups: [[removed(G(7))]] });
      expect(await told()).toEqual([]);
    });

    test('creates a user who arrives disabled as such', async () => {
      await importDirectory();
      await runRound(store(), no, { users: [[object(U(3), { accountEnabled: false })]] });
      expect(await told()).toEqual([`user.created ${U(3)}`, expect.stringContaining('sync.completed')]);
      expect((await snapshotOf(store(), no)).users[U(3)]).toEqual({ accountEnabled: false });
    });

    test('stores what jsonb refuses in a readable form', async () => {
      await runRound(store(), no, {
        users: [[object(U(1), { displayName: 'a\u0000b\uD800c', jobTitle: '\\u0000 😀' })]],
      });
      expect((await snapshotOf(store(), no)).users[U(1)]).toEqual({
        displayName: 'a\uFFFDb\uFFFDc',
        jobTitle: '\\u0000 😀',
      });
    });
  });

  describe('soft deletion', () => {
    test('hides a user with the memberships, and shows them again on restore', async () => {
      await importDirectory();
      await runRound(store(), no, { users: [[removed(U(1))]] });
      expect(Object.keys((await snapshotOf(store(), no)).memberships)).toEqual([`${G(1)}:${U(2)}`, `${G(2)}:${G(1)}`]);
      await remember();
      await runRound(store(), no, { users: [[object(U(1), { displayName: 'Ada L.' })]], looks: () => [is(U(1))] });
      expect(await told()).toEqual([
        `user.restored ${U(1)}`,
        `membership.added ${G(1)}:${U(1)}`,
        expect.stringContaining('sync.completed'),
      ]);
      expect(await liveTenant(store(), no)).toMatchObject({ counts: { users: 2, groups: 2, memberships: 3 } });
    });

    test('hides a group as container and as member', async () => {
      await importDirectory();
      await runRound(store(), no, { groups: [[removed(G(1))]] });
      expect(await told()).toEqual([
        `membership.removed ${G(1)}:${U(1)}`,
        `membership.removed ${G(1)}:${U(2)}`,
        `membership.removed ${G(2)}:${G(1)}`,
        `group.deleted ${G(1)}`,
        expect.stringContaining('sync.completed'),
      ]);
      await remember();
      await runRound(store(), no, {
        groups: [[object(G(1), {}, [joins(U(1)), joins(U(3))])]],
        looks: () => [is(U(2)), is(G(1), 2, 'group')],
      });
      expect((await told()).slice(0, 4)).toEqual([
        `group.restored ${G(1)}`,
        `membership.added ${G(1)}:${U(1)}`,
        `membership.added ${G(1)}:${U(2)}`,
        `membership.added ${G(2)}:${G(1)}`,
      ]);
    });

    test('leaves nothing of what is deleted for good, and tells it once', async () => {
      await importDirectory();
      await runRound(store(), no, { users: [[removed(U(1))]] });
      await remember();
      await runRound(store(), no, { users: [[removed(U(1), 'deleted')]] });
      expect(await told()).toEqual([]);
      await runRound(store(), no, { users: [[object(U(1))]] });
      expect(await told()).toEqual([`user.created ${U(1)}`, expect.stringContaining('sync.completed')]);
    });
  });

  describe('a member that is not known yet', () => {
    test('is told when the member comes', async () => {
      await importDirectory();
      const slice = await openRound(store(), no);
      await applyPages(store(), slice, 'groups', [
        [object(G(1), {}, [joins(U(5)), joins(G(6), 'group')]), object(G(3))],
        [object(G(6))],
      ]);
      expect(await told()).toEqual([
        `group.created ${G(3)}`,
        `group.created ${G(6)}`,
        `membership.added ${G(1)}:${G(6)}`,
      ]);
      expect(Object.keys((await snapshotOf(store(), no)).memberships)).not.toContain(`${G(1)}:${U(5)}`);
      await remember();
      await applyPages(store(), slice, 'users', [[object(U(5))]]);
      expect(await told()).toEqual([`user.created ${U(5)}`, `membership.added ${G(1)}:${U(5)}`]);
      await finishRound(store(), slice);
      expect(await liveTenant(store(), no)).toMatchObject({ counts: { users: 3, groups: 4, memberships: 5 } });
    });

    test('is told at the end of the round as unknown, and not again when it comes', async () => {
      await importDirectory();
      await runRound(store(), no, { groups: [[object(G(1), {}, [joins(U(5)), joins(uuid('d', 5), 'device')])]] });
      const events = await eventsAfter(store(), cursor, no);
      expect(events.slice(0, 2).map((event) => event.data)).toEqual([
        { groupId: G(1), memberId: uuid('d', 5), memberType: 'device' },
        { groupId: G(1), memberId: U(5), memberType: 'user', memberKnown: false },
      ]);
      await remember();
      await runRound(store(), no, { users: [[object(U(5))]] });
      expect(await told()).toEqual([`user.created ${U(5)}`, expect.stringContaining('sync.completed')]);
    });
  });

  describe('a full round beside the mirror', () => {
    const versions = async () => {
      const { rows } = await sql<{ v: string }>`
        SELECT 'u' || id || ctid || xmin AS v FROM directory_user WHERE tenant_no = ${no}
        UNION ALL SELECT 'g' || id || ctid || xmin FROM directory_group WHERE tenant_no = ${no}
        UNION ALL SELECT 'm' || group_id || member_id || ctid || xmin FROM membership WHERE tenant_no = ${no}
        ORDER BY 1`.execute(backend().db);
      return rows.map((row) => row.v);
    };
    const everything = {
      users: [[object(U(1), { displayName: 'Ada', accountEnabled: true })], [object(U(2), { displayName: 'Bob' })]],
      groups: [
        [object(G(1), { displayName: 'All' }, [joins(U(1))]), object(G(2), {}, [joins(G(1), 'group')])],
        [object(G(1), { displayName: 'All' }, [joins(U(2))])],
      ],
    };

    test('writes no row and tells no change where nothing differs', async () => {
      await importDirectory();
      const before = await versions();
      const summary = await runRound(store(), no, { kind: 'full', ...everything });
      expect(summary).toMatchObject({ kind: 'full', changes: 0 });
      expect(await told()).toEqual([expect.stringContaining('sync.completed')]);
      expect(await versions()).toEqual(before);
      const { rows } = await sql`SELECT 1 FROM round_mark WHERE tenant_no = ${no}`.execute(backend().db);
      expect(rows).toEqual([]);
    });

    test('drops what it did not see, and attributes that are not set any more', async () => {
      await importDirectory();
      await runRound(store(), no, {
        kind: 'full',
        users: [[object(U(1), { accountEnabled: true })]],
        groups: [[object(G(1), { displayName: 'All' }, [joins(U(2))])]],
      });
      expect(await told()).toEqual([
        `user.updated ${U(1)}`,
        `membership.removed ${G(1)}:${U(1)}`,
        `membership.removed ${G(2)}:${G(1)}`,
        `group.deleted ${G(2)}`,
        `membership.removed ${G(1)}:${U(2)}`,
        `user.deleted ${U(2)}`,
        expect.stringContaining('sync.completed'),
      ]);
      expect((await snapshotOf(store(), no)).users).toEqual({ [U(1)]: { accountEnabled: true } });
    });

    test('keeps the hidden memberships of a soft-deleted user, of which it cannot hear', async () => {
      await importDirectory();
      await runRound(store(), no, { users: [[removed(U(2))]] });
      await remember();
      await runRound(store(), no, {
        kind: 'full',
        users: [everything.users[0] ?? []],
        groups: [everything.groups[0] ?? []],
      });
      expect(await told()).toEqual([expect.stringContaining('sync.completed')]);
      await remember();
      await runRound(store(), no, { users: [[object(U(2))]], looks: () => [is(U(2))] });
      expect((await told()).slice(0, 2)).toEqual([`user.restored ${U(2)}`, `membership.added ${G(1)}:${U(2)}`]);
    });

    test('begins where the tenant chose other attributes, and says which', async () => {
      await importDirectory();
      await store().tenants.update(no, { scope: { userAttributes: ['city'] } });
      const slice = await openRound(store(), no);
      expect(slice).toMatchObject({ kind: 'full', chosen: { users: ['city'], groups: [] } });
      await applyPages(store(), slice, 'users', [[object(U(1), { city: 'Oslo' })]]);
      await applyPages(store(), slice, 'groups', []);
      await finishRound(store(), slice);
      expect(await openRound(store(), no)).toMatchObject({ kind: 'delta' });
    });

    test('begins where the query is another one, or a round of its kind did not end', async () => {
      await importDirectory();
      const queryHash = { users: 'another', groups: 'groups-query' };
      expect(await store().sync.openSlice({ tenantNo: no, roundId: 'a', kind: 'delta', queryHash })).toMatchObject({
        kind: 'full',
        quiet: false,
        feeds: { users: { link: undefined, fromDelta: false } },
      });
      expect(await store().sync.openSlice({ tenantNo: no, roundId: 'b', kind: 'delta', queryHash })).toMatchObject({
        kind: 'full',
      });
    });
  });

  describe('both feeds at once', () => {
    test('lose no event of a membership whose member comes back while it is added', async () => {
      for (let turn = 0; turn < 15; turn++) {
        ({ no } = await boundTenant(store()));
        await importDirectory();
        await runRound(store(), no, { users: [[removed(U(1))]] });
        await remember();
        const slice = await openRound(store(), no, 'full');
        const everyone = [object(U(1), { displayName: 'Ada' }), object(U(2), { displayName: 'Bob' })];
        const others = Array.from({ length: 40 }, (_, n) => object(U(100 + n)));
        const groups = [
          object(G(2), {}, [joins(U(1)), joins(G(1), 'group')]),
          object(G(1), { displayName: 'All' }, [joins(U(1)), joins(U(2))]),
        ];
        await Promise.all([
          applyPages(store(), slice, 'users', [turn % 2 ? everyone : [...others, ...everyone]]),
          applyPages(store(), slice, 'groups', [groups]),
        ]);
        await finishRound(store(), slice);
        const events = await toldAfter(store(), cursor, no);
        expect(events.filter((line) => line.startsWith('membership')).sort((a, b) => (a < b ? -1 : 1))).toEqual([
          `membership.added ${G(1)}:${U(1)}`,
          `membership.added ${G(2)}:${U(1)}`,
        ]);
      }
    });
  });

  describe('a slice', () => {
    test('goes on where the one before it stood, and puts it out of action', async () => {
      await importDirectory();
      const first = await openRound(store(), no, 'delta', 'r');
      expect(first.feeds.users).toMatchObject({ link: 'users-delta', fromDelta: true, done: false });
      await store().sync.applyPages(first.feeds.users.fence, [{ items: [], nextLink: 'page-2' }]);
      await applyPages(store(), first, 'groups', []);
      const second = await openRound(store(), no, 'delta', 'r');
      expect(second.feeds.users).toMatchObject({ link: 'page-2', fromDelta: false });
      expect(second.feeds.groups).toMatchObject({ done: true, link: undefined });
      expect(await store().sync.applyPages(first.feeds.users.fence, [{ items: [object(U(9))], deltaLink: 'x' }])).toBe(
        'superseded',
      );
      expect(await store().sync.applyPages(first.feeds.users.fence, [{ items: [], deltaLink: 'x' }])).toBe(
        'superseded',
      );
      expect(await store().sync.restartAsFull(fencesOf(first))).toBe('superseded');
      await applyPages(store(), second, 'users', []);
      expect(await store().sync.applyRemovals(fencesOf(first), () => undefined, new AbortController().signal)).toBe(
        'superseded',
      );
      expect(await store().sync.completeRound(fencesOf(first))).toBe('superseded');
      await finishRound(store(), second);
      expect(await told()).toEqual([]);
    });

    test('of a completed round gets its summary', async () => {
      const summary = await runRound(store(), no, { id: 'r' });
      expect(
        await store().sync.openSlice({
          tenantNo: no,
          roundId: 'r',
          kind: 'delta',
          queryHash: { users: '', groups: '' },
        }),
      ).toEqual({
        completed: summary,
      });
    });

    test.each(['paused', 'revoked', 'deleting', 'unbound'])('is refused to a tenant that is %s', async (how) => {
      await importDirectory();
      const slice = await openRound(store(), no);
      const state = { tenantNo: no, phase: 'delta_sync', paused: false, problem: null, taken: [] } as const;
      if (how === 'paused') await store().tenants.record({ ...state, paused: true });
      if (how === 'revoked') await store().tenants.record({ ...state, phase: 'revoked' });
      if (how === 'deleting') await store().intents.add(no, 'delete');
      if (how === 'unbound') await sql`UPDATE tenant SET entra_tenant = NULL WHERE no = ${no}`.execute(backend().db);
      if (how !== 'unbound') {
        expect(
          await store().sync.applyPages(slice.feeds.users.fence, [{ items: [object(U(9))], deltaLink: 'x' }]),
        ).toBe('superseded');
      }
      expect(
        await store().sync.openSlice({
          tenantNo: no,
          roundId: 'n',
          kind: 'delta',
          queryHash: { users: '', groups: '' },
        }),
      ).toBe('halted');
    });

    test.each([1, 2, 3, 5])(
      'of a round whose links lead in a circle notices it, however many slices the circle takes, %i pages at a time',
      async (together) => {
        await importDirectory();
        const links = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
        let pages = 0;
        for (let faulty = false; !faulty; pages += together) {
          expect(pages).toBeLessThan(3 * links.length);
          const slice = await openRound(store(), no, 'delta', 'r');
          const some = Array.from({ length: together }, (_, n) => ({
            items: [],
            nextLink: links[(pages + n) % links.length] ?? '',
          }));
          const applied = await store().sync.applyPages(slice.feeds.users.fence, some);
          faulty = applied !== 'superseded' && applied.faulty === true;
        }
        expect(pages).toBeGreaterThan(links.length);
      },
    );

    test('of a round far longer than a full one gives up once nothing new was said for 200 pages', async () => {
      await importDirectory();
      for (const kind of ['delta', 'full'] as const) {
        const { feeds } = await openRound(store(), no, kind, kind);
        const say = async (n: number, items: readonly DeltaItem[] = []) => {
          const applied = await store().sync.applyPages(feeds.users.fence, [{ items, nextLink: `${kind} ${n}` }]);
          return applied !== 'superseded' && applied.faulty === true;
        };
        let n = 0;
        for (; n < 150; n++) expect(await say(n, [object(U(1))])).toBe(false);
        // Something new, even if it is only met for the first time in this round.
        expect(await say(n++, [kind === 'full' ? object(U(2)) : object(U(50 + n))])).toBe(false);
        const from = n;
        while (!(await say(n++, [object(U(1))]))) expect(n).toBeLessThan(400);
        expect(n - from).toBe(200);
        const { feeds: again } = await openRound(store(), no, kind, kind);
        expect(await store().sync.restartAsFull([again.users.fence, again.groups.fence])).toBe('restarted');
      }
    });

    test('that is the first gives up likewise, far later, and so does its repetition', async () => {
      for (const id of ['first', 'again']) {
        const { feeds } = await openRound(store(), no, 'full', id);
        await store().sync.applyPages(feeds.users.fence, [{ items: [object(U(1))], nextLink: `${id} 0` }]);
        const from = 990;
        await sql`UPDATE checkpoint SET pages = ${from} WHERE tenant_no = ${no} AND feed = 'users'`.execute(
          backend().db,
        );
        for (let n = from; ; n++) {
          const applied = await store().sync.applyPages(feeds.users.fence, [
            {
              items: [object(U(1))],
              nextLink: `${id} ${n}`,
            },
          ]);
          expect(n).toBeLessThanOrEqual(1_200);
          if (applied !== 'superseded' && applied.faulty) break;
          expect(n).toBeLessThan(1_200);
        }
      }
    });

    test('counts what was left out of a page with the page, once, and of few reasons', async () => {
      const { feeds } = await openRound(store(), no);
      const skipped = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`reason ${1_000 + n}`, 2]));
      const page = { items: [], nextLink: 'next' };
      await store().sync.applyPages(feeds.users.fence, [{ ...page, skipped }]);
      await store().sync.applyPages(feeds.users.fence, [{ ...page, skipped: { 'reason 1000': 1, 'reason 1149': 1 } }]);
      await openRound(store(), no);
      expect(await store().sync.applyPages(feeds.users.fence, [{ ...page, skipped }])).toBe('superseded');
      const kept = await store().sync.skipped(no);
      expect(kept).toHaveLength(100);
      expect(kept.reduce((sum, { count }) => sum + count, 0)).toBe(201);
    });

    test('stops between two batches of removals, and goes on', async () => {
      await store().tenants.update(no, { guard: { users: { count: 2_000, percent: 100 } } });
      const ids = Array.from({ length: 1200 }, (_, n) => U(n));
      await runRound(store(), no, { users: [ids.map((id) => object(id))] });
      const slice = await openRound(store(), no);
      await applyPages(store(), slice, 'users', [ids.map((id) => removed(id))]);
      await applyPages(store(), slice, 'groups', []);
      const abort = new AbortController();
      let beats = 0;
      const beat = () => {
        // After the look, the disables, the memberships and the groups comes the first batch of users.
        if (++beats === 5) abort.abort();
      };
      expect(await store().sync.applyRemovals(fencesOf(slice), beat, abort.signal)).toBe('stopped');
      expect(Object.keys((await snapshotOf(store(), no)).users)).toHaveLength(200);
      await finishRound(store(), slice);
      expect((await snapshotOf(store(), no)).users).toEqual({});
    });
  });
}
