import { describe, expect, test } from '@jest/globals';
import type { DeltaItem } from '../../src/domain/directory.ts';
import type { Backend } from './backend.ts';
import { type Fault, FaultyPool } from './faults.ts';
import {
  applyPages,
  boundTenant,
  eventsAfter,
  fencesOf,
  finishRound,
  G,
  joins,
  leaves,
  object,
  openRound,
  removed,
  runRound,
  snapshotOf,
  toldAfter,
  U,
} from './rounds.ts';

/** More than the longest of these transactions has. */
const STATEMENTS = 30;
const ROUND_END_STATEMENTS = 120;

const sorted = (lines: readonly string[]) => [...lines].sort((a, b) => (a < b ? -1 : 1));

/** A process or a connection that dies in the middle of a transaction leaves all of it or nothing. */
export function crashesSuite(backend: () => Backend): void {
  const faulty = () => {
    let pool: FaultyPool | undefined;
    const store = backend().through((inner) => (pool = new FaultyPool(inner)));
    if (!pool) throw new Error('No pool');
    return { store, pool };
  };
  // The embedded database has no connection that could be lost.
  const faults = (): readonly Fault[] => (backend().concurrent ? ['before', 'after', 'kill'] : ['before', 'after']);

  const page: readonly DeltaItem[] = [
    object(G(1), { description: 'changed' }, [joins(U(3)), joins(U(4)), leaves(U(1))]),
    object(G(2), { displayName: 'restored' }),
    object(G(4), {}, [joins(G(1), 'group')]),
    removed(G(3)),
  ];

  const prepare = async () => {
    const { no } = await boundTenant(backend().store);
    await runRound(backend().store, no, {
      users: [[object(U(1)), object(U(2)), object(U(3))]],
      groups: [
        [
          object(G(1), {}, [joins(U(1)), joins(U(2))]),
          object(G(2), {}, [joins(U(1))]),
          object(G(3), {}, [joins(U(2))]),
        ],
      ],
    });
    await runRound(backend().store, no, { groups: [[removed(G(2))]] });
    return no;
  };

  describe('a crash', () => {
    test('at any statement of a page leaves the page written whole or not at all', async () => {
      const { store, pool } = faulty();
      for (const fault of faults()) {
        let reached = true;
        for (let statement = 1; reached && statement < STATEMENTS; statement++) {
          const no = await prepare();
          const cursor = await store.feed.head();
          const before = await snapshotOf(store, no);
          const slice = await openRound(store, no);
          pool.arm(statement, fault);
          const outcome = await store.sync
            .applyPages(slice.feeds.groups.fence, [{ items: page, deltaLink: 'd' }])
            .catch(() => 'crashed' as const);
          reached = !pool.disarm();
          const events = await eventsAfter(store, cursor, no);
          const after = await snapshotOf(store, no);
          const written = events.length > 0;
          // Only the answer to COMMIT can be lost after the fact.
          if (outcome === 'crashed' && fault !== 'after') expect(written).toBe(false);
          if (outcome !== 'crashed') expect(written).toBe(true);
          expect(Object.keys(after.groups)).toEqual(written ? [G(1), G(2), G(3), G(4)] : Object.keys(before.groups));
          if (!written) expect(after).toEqual(before);
          const again = await openRound(store, no, 'delta', 'again');
          await applyPages(store, again, 'users', []);
          await applyPages(store, again, 'groups', [page]);
          await finishRound(store, again, () => [{ groupId: G(2), memberId: U(1), memberType: 'user' }]);
          const all = await toldAfter(store, cursor, no);
          expect(all.at(-1)).toContain('sync.completed');
          expect(sorted(all.slice(0, -1))).toEqual([
            `group.created ${G(4)}`,
            `group.deleted ${G(3)}`,
            `group.restored ${G(2)}`,
            `group.updated ${G(1)}`,
            `membership.added ${G(1)}:${U(3)}`,
            `membership.added ${G(1)}:${U(4)}`,
            `membership.added ${G(2)}:${U(1)}`,
            `membership.added ${G(4)}:${G(1)}`,
            `membership.removed ${G(1)}:${U(1)}`,
            `membership.removed ${G(3)}:${U(2)}`,
          ]);
        }
        expect(reached).toBe(false);
      }
    }, 120_000);

    test('at any statement of a round end is made good by doing it again', async () => {
      const { store, pool } = faulty();
      for (const fault of faults()) {
        let reached = true;
        for (let statement = 1; reached && statement < ROUND_END_STATEMENTS; statement += 4) {
          const no = await prepare();
          const cursor = await store.feed.head();
          const slice = await openRound(store, no);
          await applyPages(store, slice, 'users', [[removed(U(2)), object(U(1), { accountEnabled: false })]]);
          await applyPages(store, slice, 'groups', [
            [removed(G(3), 'deleted'), object(G(1), {}, [leaves(U(1)), joins(U(9))])],
          ]);
          pool.arm(statement, fault);
          const end = async () => {
            await store.sync.applyRemovals(fencesOf(slice), () => undefined, new AbortController().signal);
            return store.sync.completeRound(fencesOf(slice));
          };
          await end().catch(() => end().catch(() => undefined));
          reached = !pool.disarm();
          const all = await toldAfter(store, cursor, no);
          expect(all.at(-1)).toContain('sync.completed');
          expect(sorted(all.slice(0, -1))).toEqual([
            `group.deleted ${G(3)}`,
            `membership.added ${G(1)}:${U(9)}`,
            `membership.removed ${G(1)}:${U(1)}`,
            `membership.removed ${G(1)}:${U(2)}`,
            `membership.removed ${G(3)}:${U(2)}`,
            `user.deleted ${U(2)}`,
            `user.updated ${U(1)}`,
          ]);
        }
        expect(reached).toBe(false);
      }
    }, 120_000);
  });
}
