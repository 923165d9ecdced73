import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { DeltaItem, Feed } from '../../src/domain/directory.ts';
import { HELD_KINDS, type HeldKind, type HeldRow } from '../../src/store/face/held.ts';
import type { Backend } from './backend.ts';
import { historyRuns } from './history-runs.ts';
import { deliver } from './delivery.ts';
import { Reader } from './fold.ts';
import { Random } from './random.ts';
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
  type Snapshot,
  snapshotOf,
  toldAfter,
  U,
} from './rounds.ts';
import { NAMES, type Operation, Truth } from './truth.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const person = (n: number) => object(U(n), { displayName: `Person ${n}`, accountEnabled: true });

/** Removals that are too many at once, from the round that brings them to what a person makes of them. */
export function heldSuite(backend: () => Backend): void {
  let no = 0;
  let cursor = '';
  const store = () => backend().store;
  const told = () => toldAfter(store(), cursor, no);
  const remember = async () => {
    cursor = await store().feed.head();
  };
  const counts = async () => (await store().held.summary(no))?.counts;
  const listed = async (kind: HeldKind) => {
    const rows: HeldRow[] = [];
    for (let after: string | undefined; ;) {
      const page = await store().held.list(no, kind, after, 7);
      rows.push(...page.data);
      if (page.next === null) return rows.map((row) => row.id);
      after = page.next;
    }
  };
  const approve = async () => {
    await store().intents.add(no, 'approve_held');
    return store().held.approve(no, () => undefined);
  };
  const removeUsers = (from: number, to: number): DeltaItem[] => range(from, to).map((n) => removed(U(n)));

  beforeEach(async () => {
    ({ no } = await boundTenant(store()));
    // A hundred people, thirty groups; the first group has everyone, the others one each.
    await runRound(store(), no, {
      users: [range(1, 100).map(person)],
      groups: [
        [
          object(
            G(1),
            { displayName: 'All' },
            range(1, 100).map((n) => joins(U(n))),
          ),
          ...range(2, 30).map((n) => object(G(n), {}, [joins(U(n))])),
        ],
      ],
    });
    await remember();
  });

  describe('the guard', () => {
    test('holds a dismissal of 30 in 100 and applies the rest of the round', async () => {
      const summary = await runRound(store(), no, { users: [[...removeUsers(1, 30), person(101)]] });
      expect(summary).toHaveProperty('heldSince');
      expect(await told()).toEqual([`user.created ${U(101)}`, expect.stringMatching(/^sync.completed/)]);
      expect(Object.keys((await snapshotOf(store(), no)).users)).toHaveLength(101);
      expect(await store().held.summary(no)).toMatchObject({
        exceeded: ['users'],
        counts: { users: 30, groups: 0, memberships: 59, disables: 0 },
      });
      expect(await listed('users')).toEqual(range(1, 30).map(U));
      expect((await liveTenant(store(), no)).counts).toMatchObject({ users: 101, memberships: 129 });
    });

    test('lets pass what does not exceed both count and share', async () => {
      await runRound(store(), no, { users: [removeUsers(1, 20)] });
      expect(await counts()).toBeUndefined();
      await store().tenants.update(no, { guard: { users: { count: 20, percent: 50 } } });
      await runRound(store(), no, { users: [removeUsers(21, 50)] });
      expect(await counts()).toBeUndefined();
      expect(Object.keys((await snapshotOf(store(), no)).users)).toHaveLength(50);
    });

    test('counts accounts that are switched off as people, once where they go as well', async () => {
      const off = (from: number, to: number) => range(from, to).map((n) => object(U(n), { accountEnabled: false }));
      await runRound(store(), no, { users: [off(1, 15), removeUsers(6, 20)] });
      expect(await counts()).toBeUndefined();
      await runRound(store(), no, { users: [[...off(31, 41), ...removeUsers(42, 52)]] });
      expect(await counts()).toMatchObject({ users: 11, disables: 11 });
      expect((await snapshotOf(store(), no)).users[U(31)]).toMatchObject({ accountEnabled: true });
    });

    test('counts memberships that end, with those of groups that go', async () => {
      await runRound(store(), no, { groups: [[removed(G(1))]] });
      expect(await counts()).toBeUndefined();
      await runRound(store(), no, {
        groups: [[object(G(1), { displayName: 'All' })]],
        looks: () => range(1, 100).map((n) => ({ groupId: G(1), memberId: U(n), memberType: 'user' as const })),
      });
      await store().tenants.update(no, { guard: { memberships: { count: 50, percent: 20 } } });
      await runRound(store(), no, { groups: [[removed(G(1))]] });
      expect(await store().held.summary(no)).toMatchObject({
        exceeded: ['memberships'],
        counts: { groups: 1, memberships: 100 },
      });
      await runRound(store(), no, {
        groups: [
          [
            object(
              G(1),
              {},
              range(1, 60).map((n) => leaves(U(n))),
            ),
          ],
        ],
      });
      expect(await counts()).toMatchObject({ groups: 0, memberships: 60 });
    });

    test('holds nothing of a first import, which has nothing to lose', async () => {
      ({ no } = await boundTenant(store()));
      const slice = await openRound(store(), no, 'full');
      await applyPages(store(), slice, 'users', [range(1, 100).map(person), removeUsers(1, 90)]);
      await applyPages(store(), slice, 'groups', []);
      expect(await finishRound(store(), slice)).not.toHaveProperty('heldSince');
      expect(Object.keys((await snapshotOf(store(), no)).users)).toHaveLength(10);
    });

    test('holds everything where a full round sees nothing', async () => {
      await runRound(store(), no, { kind: 'full' });
      expect(await counts()).toEqual({ users: 100, groups: 30, memberships: 129, disables: 0 });
      expect((await told()).filter((line) => !line.startsWith('sync'))).toEqual([]);
    });

    test('asks for a fresh read before, and leaves all as it stands where there is no answer', async () => {
      const slice = await openRound(store(), no);
      await applyPages(store(), slice, 'users', [removeUsers(1, 30)]);
      await applyPages(store(), slice, 'groups', []);
      const end = (verdict: 'stop' | 'hold') =>
        store().sync.applyRemovals(fencesOf(slice), () => undefined, new AbortController().signal, {
          relist: () => Promise.resolve('relisted'),
          async confirm(suspects) {
            expect(suspects).toEqual(range(1, 20).map((n) => ({ kind: 'user', id: U(n) })));
            return verdict === 'stop' ? { verdict } : { verdict, sample: { read: 20, stillThere: 0 } };
          },
        });
      expect(await end('stop')).toBe('stopped');
      expect(await counts()).toBeUndefined();
      expect(await end('hold')).toBe('applied');
      expect(await store().held.summary(no)).toMatchObject({ sample: { read: 20, stillThere: 0 } });
      await store().sync.completeRound(fencesOf(slice));
    });
  });

  describe('a held set', () => {
    beforeEach(async () => {
      await runRound(store(), no, {
        users: [[...removeUsers(1, 30), object(U(40), { accountEnabled: false })]],
        groups: [[object(G(1), {}, [leaves(U(50))])]],
      });
      await remember();
      expect(await counts()).toEqual({ users: 30, groups: 0, memberships: 60, disables: 1 });
    });

    test('loses what is true no more, without a word', async () => {
      const summary = await runRound(store(), no, {
        users: [[person(3), object(U(40), { accountEnabled: true })]],
        groups: [[object(G(1), {}, [joins(U(50))])]],
      });
      expect(summary).toHaveProperty('heldSince');
      expect(await told()).toEqual([]);
      expect(await counts()).toEqual({ users: 29, groups: 0, memberships: 57, disables: 0 });
      expect(await listed('users')).not.toContain(U(3));
      expect(await runRound(store(), no, { users: [range(1, 30).map(person)] })).not.toHaveProperty('heldSince');
      expect(await counts()).toBeUndefined();
    });

    test('keeps what one page takes back and a later one says again', async () => {
      await runRound(store(), no, {
        users: [
          [person(3), object(U(40), { accountEnabled: true })],
          [removed(U(3)), object(U(40), { accountEnabled: false })],
        ],
        groups: [[object(G(1), {}, [joins(U(50))])], [object(G(1), {}, [leaves(U(50))])]],
      });
      expect(await told()).toEqual([]);
      expect(await counts()).toEqual({ users: 30, groups: 0, memberships: 60, disables: 1 });
    });

    test('takes the same removals once, while a few more are applied beside it', async () => {
      await runRound(store(), no, { users: [[...removeUsers(1, 30), removed(U(60))]] });
      expect(await counts()).toMatchObject({ users: 30 });
      expect(await told()).toContain(`user.deleted ${U(60)}`);
      await runRound(store(), no, { kind: 'full', users: [range(31, 59).map(person), range(61, 100).map(person)] });
      expect((await counts())?.users).toBe(30);
    });

    test('is applied as it stands when it is approved, and as the preview says', async () => {
      await runRound(store(), no, { users: [[person(1)]] });
      const preview = await Promise.all(HELD_KINDS.map(listed));
      expect(await approve()).toBeUndefined();
      const gone = (await told()).filter((line) => !line.startsWith('sync'));
      const [users = [], groups = [], memberships = [], disables = []] = preview;
      expect(gone.toSorted()).toEqual(
        [
          ...users.map((id) => `user.deleted ${id}`),
          ...groups.map((id) => `group.deleted ${id}`),
          ...memberships.map((id) => `membership.removed ${id}`),
          ...disables.map((id) => `user.updated ${id}`),
        ].toSorted(),
      );
      expect(users).toEqual(range(2, 30).map(U));
      expect(await counts()).toBeUndefined();
      expect((await liveTenant(store(), no)).counts).toMatchObject({ users: 71 });
      await remember();
      expect(await approve()).toBeUndefined();
      expect(await told()).toEqual([]);
    });

    test('keeps what a round added after the approval', async () => {
      await store().intents.add(no, 'approve_held');
      await runRound(store(), no, { users: [removeUsers(61, 90)] });
      expect(await store().held.approve(no, () => undefined)).toEqual(expect.any(String));
      expect(await listed('users')).toEqual(range(61, 90).map(U));
      expect(await approve()).toBeUndefined();
      expect(Object.keys((await snapshotOf(store(), no)).users)).toHaveLength(40);
    });

    test('is dropped when it is rejected, and held again by a full round that agrees with it', async () => {
      await store().held.reject(no);
      expect(await counts()).toBeUndefined();
      // Full, though nobody asks for it: whoever was told of the rejection may have forgotten it.
      const next = await runRound(store(), no, {
        users: [range(31, 100).map((n) => object(U(n), { displayName: `Person ${n}`, accountEnabled: n !== 40 }))],
        groups: [
          [
            object(
              G(1),
              { displayName: 'All' },
              range(31, 100).map((n) => joins(U(n))),
            ),
          ],
        ],
      });
      expect(next.kind).toBe('full');
      expect(await counts()).toMatchObject({ users: 30, disables: 1, groups: 29 });
      expect((await told()).filter((line) => !line.startsWith('sync'))).toEqual([]);
    });

    test('goes with its tenant', async () => {
      await store().tenants.purge(no, () => undefined);
      const { rows } = await sql`
        SELECT tenant_no FROM held_set WHERE tenant_no = ${no}
        UNION ALL SELECT tenant_no FROM held_removal WHERE tenant_no = ${no}`.execute(backend().db);
      expect(rows).toEqual([]);
    });

    test('applies nothing that was not approved', async () => {
      expect(await store().held.approve(no, () => undefined)).toEqual(expect.any(String));
      expect(await told()).toEqual([]);
    });
  });

  describe('whatever is held, approved or taken back', () => {
    const previewed = async () =>
      Object.fromEntries(
        await Promise.all(HELD_KINDS.map(async (kind) => [kind, await listed(kind)] as const)),
      ) as Record<HeldKind, string[]>;

    test('the mirror without the preview is the truth, and approving tells exactly the preview', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(chapter, { minLength: 2, maxLength: 6 }), async (chapters) => {
          ({ no } = await boundTenant(store()));
          // Whatever can be seen to go is held.
          const none = { count: 0, percent: 0 };
          await store().tenants.update(no, { guard: { users: none, groups: none, memberships: none } });
          const truth = new Truth();
          for (const operation of BEGINNING) truth.do(operation);
          let reader: Reader | undefined;
          for (const { before, full, verdict, seed } of chapters) {
            for (const operation of before) truth.do(operation);
            await playRound(truth, full, new Random(seed));
            const snapshot = await snapshotOf(store(), no);
            const preview = await previewed();
            const visible = truth.visible();
            expect(without(snapshot, preview)).toEqual(visible);
            if (verdict === 'approve') {
              await approve();
              expect(await snapshotOf(store(), no)).toEqual(visible);
              expect(await counts()).toBeUndefined();
            } else if (verdict === 'reject') {
              await store().held.reject(no);
              await playRound(truth, true, new Random(seed));
              // What was held is held again; so is what the round itself brought back by an older version, before it said
              // that it is gone. Nothing else is, for the rest is the truth. Of who is gone nobody says that they are disabled.
              const again = await previewed();
              for (const kind of HELD_KINDS)
                expect(again[kind]).toEqual(expect.arrayContaining(preview[kind].filter(stillTold(kind, again))));
              expect(without(await snapshotOf(store(), no), again)).toEqual(visible);
            }
            const now = await snapshotOf(store(), no);
            if (reader) for (const event of await eventsAfter(store(), cursor, no)) reader.read(event);
            reader = new Reader(now);
            await remember();
            const { counts: kept } = await liveTenant(store(), no);
            expect(kept).toEqual({
              users: Object.keys(now.users).length,
              groups: Object.keys(now.groups).length,
              memberships: Object.keys(now.memberships).length,
            });
          }
        }),
        historyRuns('Histories with a guard', { seed: 20261121, runs: 60, ms: 15_000 }),
      );
    }, 600_000);
  });

  async function playRound(truth: Truth, full: boolean, random: Random): Promise<void> {
    const slice = await openRound(store(), no, full ? 'full' : 'delta');
    for (const feed of ['users', 'groups'] as const) {
      const delivery = deliver(truth, feed, slice.kind, random);
      truth.giveBackMembers(delivery.unsaid);
      await applyPages(store(), slice, feed, delivery.pages);
    }
    await finishRound(store(), slice, ({ id }) => truth.around(id));
  }
}

interface Chapter {
  readonly before: readonly Operation[];
  readonly full: boolean;
  readonly verdict: 'approve' | 'reject' | 'wait';
  readonly seed: number;
}

const BEGINNING: readonly Operation[] = [
  ...[1, 2, 3].flatMap((n) =>
    (['users', 'groups'] as const).map(
      (feed) => ({ op: 'create', feed, n, values: { accountEnabled: true } }) as const,
    ),
  ),
  ...[1, 2, 3].map((n) => ({ op: 'join', group: 1, kind: 'user', n }) as const),
  ...[1, 2].map((n) => ({ op: 'join', group: 2, kind: 'user', n }) as const),
  { op: 'join', group: 3, kind: 'device', n: 1 },
];

const feed = fc.constantFrom<Feed>('users', 'groups');
const n = fc.integer({ min: 1, max: 4 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constant('create' as const), feed, n, values: fc.constant({ accountEnabled: true }) }),
  fc.record({
    op: fc.constant('set' as const),
    feed: fc.constant('users' as const),
    n,
    name: fc.constantFrom(...NAMES),
    value: fc.constantFrom(true, false),
  }),
  fc.record({ op: fc.constantFrom('delete' as const, 'restore' as const, 'purge' as const), feed, n }),
  fc.record({
    op: fc.constantFrom('join' as const, 'leave' as const),
    group: n,
    kind: fc.constantFrom('user' as const, 'group' as const),
    n,
  }),
);
const chapter: fc.Arbitrary<Chapter> = fc.record({
  before: fc.array(operation, { maxLength: 6 }),
  full: fc.boolean(),
  verdict: fc.constantFrom('approve' as const, 'reject' as const, 'wait' as const, 'wait' as const),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});

const stillTold =
  (kind: HeldKind, { users }: Readonly<Record<HeldKind, readonly string[]>>) =>
  (id: string) =>
    kind !== 'disables' || !users.includes(id);

function without(snapshot: Snapshot, preview: Readonly<Record<HeldKind, readonly string[]>>): Snapshot {
  const left = <T>(things: Readonly<Record<string, T>>, gone: readonly string[]) =>
    Object.fromEntries(Object.entries(things).filter(([id]) => !gone.includes(id)));
  const users = Object.fromEntries(
    Object.entries(snapshot.users).map(([id, data]) => [
      id,
      preview.disables.includes(id) ? { ...data, accountEnabled: false } : data,
    ]),
  );
  return {
    users: left(users, preview.users),
    groups: left(snapshot.groups, preview.groups),
    memberships: left(snapshot.memberships, preview.memberships),
  };
}
