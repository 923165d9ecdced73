import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import { type DeltaItem, type Feed, FEEDS, type MemberType } from '../../src/domain/directory.ts';
import type { Database } from '../../src/store/schema.ts';
import type { OpenSlice, RemovalLooks, WantedObjects } from '../../src/store/face/sync.ts';
import type { Store } from '../../src/store/store.ts';
import type { Backend } from './backend.ts';
import { historyRuns } from './history-runs.ts';
import { deliver, type Delivery } from './delivery.ts';
import { Crash, FaultyPool } from './faults.ts';
import { Reader } from './fold.ts';
import { Random } from './random.ts';
import {
  applyPages,
  boundTenant,
  eventsAfter,
  fencesOf,
  fill,
  finishRound,
  G,
  joins,
  leaves,
  liveTenant,
  lookAround,
  object,
  openRound,
  removed,
  snapshotOf,
  type Snapshot,
  toldAfter,
  U,
  uuid,
} from './rounds.ts';
import { isSilent, type Operation, splitKey, Truth } from './truth.ts';

interface Setting {
  readonly roots: readonly number[];
  readonly nested: boolean;
  readonly disabled: boolean;
}

/** What the mirror of a truth must show under a scope, said another way than the store says it. */
function restricted(truth: Truth, { roots, nested, disabled }: Setting): Snapshot {
  const now = truth.now();
  const isLive = (feed: Feed, id: string) => now[feed].get(id)?.life === 'live';
  const groups = new Set(
    (roots.length > 0 ? roots.map(G) : [...now.groups.keys()]).filter((id) => isLive('groups', id)),
  );
  const told = [...now.members].filter(([key]) => !isSilent(key, now));
  const inside = nested && roots.length > 0 ? told.filter(([, type]) => type === 'group') : [];
  for (const _ of now.groups.keys()) {
    for (const [key] of inside) if (groups.has(splitKey(key)[0])) groups.add(splitKey(key)[1]);
  }
  const members = new Set(told.map(([key]) => splitKey(key)).flatMap(([group, id]) => (groups.has(group) ? [id] : [])));
  const users = [...now.users].filter(
    ([id, { life, values }]) =>
      life === 'live' && (roots.length === 0 || members.has(id)) && (disabled || values.accountEnabled !== false),
  );
  const known = new Set([...groups, ...users.map(([id]) => id)]);
  const shown = (key: string, type: MemberType) =>
    groups.has(splitKey(key)[0]) && (type === 'device' || known.has(splitKey(key)[1]));
  return {
    users: Object.fromEntries(users.map(([id, { values }]) => [id, values])),
    groups: Object.fromEntries([...now.groups].flatMap(([id, { values }]) => (groups.has(id) ? [[id, values]] : []))),
    memberships: Object.fromEntries(told.filter(([key, type]) => shown(key, type))),
  };
}

const feed = fc.constantFrom<Feed>('users', 'groups');
const n = fc.integer({ min: 1, max: 4 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('create' as const),
      feed,
      n,
      values: fc.constantFrom({}, { accountEnabled: false }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('set' as const),
      feed: fc.constant('users' as const),
      n,
      name: fc.constantFrom('accountEnabled' as const, 'accountEnabled' as const, 'jobTitle' as const),
      value: fc.constantFrom(true, false, null),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constantFrom('delete' as const, 'restore' as const, 'purge' as const), feed, n }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      op: fc.constantFrom('join' as const, 'join' as const, 'leave' as const),
      group: n,
      kind: fc.constantFrom<MemberType>('user', 'user', 'group', 'device'),
      n,
    }),
  },
);
const setting: fc.Arbitrary<Setting> = fc.record({
  roots: fc.uniqueArray(n, { maxLength: 2 }),
  nested: fc.boolean(),
  disabled: fc.boolean(),
});
const chapter = fc.record({
  before: fc.array(operation, { maxLength: 10 }),
  full: fc.constantFrom(true, false, false, false),
  change: fc.option(setting, { freq: 2 }),
  crashes: fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 2 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});
type Chapter = typeof chapter extends fc.Arbitrary<infer T> ? T : never;

const BEGINNING: readonly Operation[] = [
  ...[1, 2, 3, 4].flatMap((number) =>
    FEEDS.map((one) => ({ op: 'create', feed: one, n: number, values: {} }) as const),
  ),
  ...[1, 2, 3].map((number) => ({ op: 'join', group: 1, kind: 'user', n: number }) as const),
  ...[3, 4].map((number) => ({ op: 'join', group: 2, kind: 'user', n: number }) as const),
  { op: 'join', group: 1, kind: 'group', n: 2 },
  { op: 'join', group: 2, kind: 'group', n: 3 },
];

/** Plays a history of a tenant whose scope changes, against a store that keeps crashing. */
class ScopedPlay {
  readonly #store: Store;
  readonly #faults: FaultyPool;
  readonly #db: Database;
  readonly #no: number;
  readonly #truth = new Truth();
  #setting: Setting = { roots: [], nested: false, disabled: true };
  #deliveries: Partial<Record<Feed, Delivery>> = {};
  #asked: string[] = [];
  #reader: { cursor: string; fold: Reader } | undefined;

  constructor(store: Store, faults: FaultyPool, db: Database, no: number) {
    this.#store = store;
    this.#faults = faults;
    this.#db = db;
    this.#no = no;
    for (const one of BEGINNING) this.#truth.do(one);
  }

  async round({ before, full, change, crashes, seed }: Chapter): Promise<void> {
    for (const one of before) this.#truth.do(one);
    if (change) await this.#set(change);
    const roundId = randomUUID();
    const left = [...crashes];
    for (let done = false; !done;) {
      const slice = await openRound(this.#store, this.#no, full ? 'full' : 'delta', roundId).catch(() => undefined);
      if (!slice) break;
      this.#faults.arm(left.shift() ?? 0, 'after');
      try {
        await this.#slice(slice, new Random(seed));
        done = true;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      } finally {
        this.#faults.disarm();
      }
    }
    for (const delivery of Object.values(this.#deliveries)) this.#truth.giveBackMembers(delivery.unsaid);
    this.#deliveries = {};
    await this.#check();
  }

  /** Rounds in which nothing happens ask for nobody again whom a read shows, and for the others once. */
  async rest(): Promise<void> {
    const idle = { before: [], full: false, change: null, crashes: [], seed: 1 };
    await this.round(idle);
    this.#asked = [];
    await this.round(idle);
    const roots = new Set(this.#setting.roots.map(G));
    const now = this.#truth.now();
    const isShown = (id: string) => (now.users.get(id) ?? now.groups.get(id))?.life === 'live';
    const others = this.#asked.filter((id) => !roots.has(id));
    expect(others.filter(isShown)).toEqual([]);
    expect(others).toEqual([...new Set(others)]);
  }

  async #set(setting: Setting): Promise<void> {
    this.#setting = setting;
    const { nested, disabled } = setting;
    await this.#store.tenants.update(this.#no, { groupsToSync: setting.roots.map(G), scope: { nested, disabled } });
  }

  async #slice(slice: OpenSlice, random: Random): Promise<void> {
    const { sync } = this.#store;
    const fences = fencesOf(slice);
    const pick = async () => {
      this.#asked.push(...(await fill(this.#store, slice, (one, id) => this.#answer(one, id))));
    };
    if (slice.scope) await sync.unresolvedGroups(fences);
    const order: readonly Feed[] = slice.scope && slice.kind === 'full' ? ['groups', 'users'] : FEEDS;
    for (const one of order) await this.#feed(slice, one, random);
    await pick();
    const kept = await this.#db
      .selectFrom('membership')
      .select(['group_id as groupId', 'member_id as memberId', 'member_type as memberType'])
      .where('tenant_no', '=', this.#no)
      .execute();
    await lookAround(this.#store, slice, ({ id }) => kept.filter((row) => row.groupId === id || row.memberId === id));
    await pick();
    expect(await sync.applyRemovals(fences, () => undefined, new AbortController().signal)).toBe('applied');
    expect(await sync.completeRound(fences)).not.toBe('superseded');
  }

  async #feed(slice: OpenSlice, one: Feed, random: Random): Promise<void> {
    const { done, link, fromDelta, fence } = slice.feeds[one];
    if (done) return;
    const { pages } = (this.#deliveries[one] ??= deliver(this.#truth, one, slice.kind, random));
    const start = link === undefined || fromDelta ? 0 : Number(link.split('#')[1]);
    for (const [index, items] of pages.entries()) {
      if (index < start) continue;
      const last = index === pages.length - 1;
      const to = last ? { deltaLink: 'delta' } : { nextLink: `next#${index + 1}` };
      expect(await this.#store.sync.applyPages(fence, [{ items, ...to }])).not.toBe('superseded');
    }
  }

  /** As the feed sees it now; of soft-deleted members it speaks once they are back. */
  #answer(one: Feed, id: string): DeltaItem | undefined {
    const now = this.#truth.now();
    const thing = now[one].get(id);
    if (thing?.life !== 'live') return undefined;
    const keys = [...now.members].filter(([key]) => one === 'groups' && splitKey(key)[0] === id);
    this.#truth.giveBackMembers(keys.filter(([key]) => isSilent(key, now)).map(([key]) => key));
    return object(
      id,
      thing.values,
      keys.filter(([key]) => !isSilent(key, now)).map(([key, type]) => joins(splitKey(key)[1], type)),
    );
  }

  async #check(): Promise<void> {
    const snapshot = await snapshotOf(this.#store, this.#no, 3);
    const roots = this.#setting.roots.filter((number) => this.#truth.now().groups.get(G(number))?.life === 'live');
    // A list of which no entry fits drops nobody: what is then there is another test's matter.
    if (this.#setting.roots.length === 0 || roots.length > 0) {
      expect(snapshot).toEqual(restricted(this.#truth, this.#setting));
    }
    const { counts } = await liveTenant(this.#store, this.#no);
    expect(counts).toEqual({
      users: Object.keys(snapshot.users).length,
      groups: Object.keys(snapshot.groups).length,
      memberships: Object.keys(snapshot.memberships).length,
    });
    await this.#leavesNoTrace();
    if (!this.#reader) {
      this.#reader = { cursor: await this.#store.feed.head(), fold: new Reader(snapshot) };
      return;
    }
    const { cursor, fold } = this.#reader;
    const events = await eventsAfter(this.#store, cursor, this.#no);
    for (const event of events) fold.read(event);
    this.#reader = { cursor: events.at(-1)?.id ?? cursor, fold };
    expect(fold.snapshot()).toEqual(snapshot);
  }

  /** Of whoever is not mirrored, or hidden only because of a soft deletion, nothing but ids is anywhere. */
  async #leavesNoTrace(): Promise<void> {
    const { rows } = await sql<{ subject_id: string }>`
      SELECT e.subject_id FROM event e
      WHERE e.tenant_no = ${this.#no} AND e.subject_kind = 'user' AND e.data <> jsonb_build_object('id', e.subject_id)
        AND NOT EXISTS (SELECT 1 FROM directory_user u WHERE u.tenant_no = ${this.#no} AND u.id::text = e.subject_id)`.execute(
      this.#db,
    );
    expect(rows).toEqual([]);
  }
}

/** What a tenant mirrors that has groups to sync, or filters. */
export function scopeSuite(backend: () => Backend): void {
  describe('a scope', () => {
    let store: Store;
    let no: number;
    let cursor: string;
    beforeEach(async () => {
      ({ store } = backend());
      ({ no } = await boundTenant(store));
      await store.tenants.update(no, { groupsToSync: [G(1)], scope: { guests: false } });
      const slice = await openRound(store, no);
      await store.sync.unresolvedGroups(fencesOf(slice));
      await applyPages(store, slice, 'groups', [
        [object(G(1), {}, [joins(U(1)), joins(U(2))]), object(G(2), {}, [joins(U(3))])],
      ]);
      await applyPages(store, slice, 'users', [
        [object(U(1), { jobTitle: 'Clerk' }), object(U(2), { userType: 'Guest' }), object(U(3))],
      ]);
      await finishRound(store, slice);
      cursor = await store.feed.head();
    });

    const round = async (items: Partial<Record<Feed, readonly DeltaItem[]>>, answers: readonly DeltaItem[] = []) => {
      const slice = await openRound(store, no);
      await applyPages(store, slice, 'users', [items.users ?? []]);
      await applyPages(store, slice, 'groups', [items.groups ?? []]);
      const asked = await fill(store, slice, (_, id) => answers.find((item) => item.id === id));
      await finishRound(store, slice);
      return asked;
    };
    const told = async () => {
      const lines = await toldAfter(store, cursor, no);
      return lines.filter((line) => !line.startsWith('sync'));
    };

    test('keeps out of a first import whatever is not in it, to the last table', async () => {
      expect(await snapshotOf(store, no)).toEqual({
        users: { [U(1)]: { jobTitle: 'Clerk' } },
        groups: { [G(1)]: {} },
        memberships: { [`${G(1)}:${U(1)}`]: 'user' },
      });
    });

    test('hides who is there and gone again within one page', async () => {
      ({ no } = await boundTenant(store));
      await store.tenants.update(no, { groupsToSync: [G(1)] });
      const slice = await openRound(store, no);
      await store.sync.unresolvedGroups(fencesOf(slice));
      await applyPages(store, slice, 'groups', [[object(G(1), {}, [joins(U(1)), joins(U(2))])]]);
      await applyPages(store, slice, 'users', [[object(U(1)), object(U(2)), removed(U(2))]]);
      await finishRound(store, slice);
      expect(Object.keys((await snapshotOf(store, no)).users)).toEqual([U(1)]);
      const other = await openRound(store, no, 'full');
      await store.sync.unresolvedGroups(fencesOf(other));
      await applyPages(store, other, 'groups', [[object(G(1), {}, [joins(U(1))]), removed(G(1))]]);
      await applyPages(store, other, 'users', [[object(U(1))]]);
      await finishRound(store, other);
      expect(Object.keys((await snapshotOf(store, no)).groups)).toEqual([]);
    });

    test('takes no part of somebody for the whole: asks for who may be let in, drops the rest', async () => {
      const asked = await round({
        users: [
          object(U(1), { jobTitle: 'Boss' }),
          object(U(2), { jobTitle: 'Spy' }),
          object(U(3), { jobTitle: 'Spy' }),
        ],
      });
      expect(asked).toEqual([U(2)]);
      expect((await snapshotOf(store, no)).users).toEqual({ [U(1)]: { jobTitle: 'Boss' } });
    });

    test('asks again, once a round, for whom a read does not show yet, and stores them when it does', async () => {
      expect(await round({ groups: [object(G(1), {}, [joins(U(3))])] })).toEqual([U(3)]);
      expect(await round({}, [object(U(3))])).toEqual([U(3)]);
      expect(Object.keys((await snapshotOf(store, no)).users)).toEqual([U(1), U(3)]);
      expect(await round({})).toEqual([]);
    });

    test('asks for nobody whom no read shows within an hour, until something is said of them again', async () => {
      const later = () =>
        sql`UPDATE scope_missed SET missed_at = missed_at - interval '31 minutes' WHERE tenant_no = ${no}`.execute(
          backend().db,
        );
      expect(await round({ groups: [object(G(1), {}, [joins(U(3))])] })).toEqual([U(3)]);
      await later();
      expect(await round({})).toEqual([U(3)]);
      await later();
      expect(await round({}, [object(U(3))])).toEqual([]);
      expect(await round({}, [object(U(3))])).toEqual([]);
      expect(await round({ users: [object(U(3), { jobTitle: 'Clerk' })] }, [object(U(3))])).toEqual([U(3)]);
      expect(Object.keys((await snapshotOf(store, no)).users)).toEqual([U(1), U(3)]);
    });

    test('brings nobody in by a read that is older than their end', async () => {
      await round({ groups: [object(G(1), {}, [joins(U(3))])] });
      expect(await round({ users: [removed(U(3))] }, [object(U(3))])).toEqual([]);
      expect(await round({ users: [object(U(2), { jobTitle: 'Spy' }), removed(U(2))] }, [object(U(2))])).toEqual([]);
      expect(Object.keys((await snapshotOf(store, no)).users)).toEqual([U(1)]);
    });

    test('asks again for a nested group that no read shows yet', async () => {
      await store.tenants.update(no, { scope: { nested: true } });
      const nested = object(G(2), {}, [joins(U(3))]);
      expect(await round({ groups: [object(G(1), {}, [joins(G(2), 'group')])] })).toContain(G(2));
      expect(await round({}, [nested, object(U(3))])).toEqual(expect.arrayContaining([G(2), U(3)]));
      expect(Object.keys((await snapshotOf(store, no)).memberships)).toContain(`${G(2)}:${U(3)}`);
    });

    test('fetches who joins, though no feed says more of them than an id', async () => {
      const asked = await round({ groups: [object(G(1), {}, [joins(U(3))])] }, [object(U(3), { displayName: 'Joan' })]);
      expect(asked).toEqual([U(3)]);
      expect(await told()).toEqual([`user.created ${U(3)}`, `membership.added ${G(1)}:${U(3)}`]);
      const reasons = (await eventsAfter(store, cursor, no)).map(({ reason }) => reason);
      expect(reasons.slice(0, 2)).toEqual(['scope', 'scope']);
    });

    test('lets go of who leaves the last group, and blanks what was told of them', async () => {
      await round({ users: [object(U(1), { jobTitle: 'Boss' })] });
      await round({ groups: [object(G(1), {}, [leaves(U(1))])] });
      expect(await told()).toEqual([
        `user.updated ${U(1)}`,
        `membership.removed ${G(1)}:${U(1)}`,
        `user.deleted ${U(1)}`,
      ]);
      const data = (await eventsAfter(store, cursor, no)).filter(({ subject }) => subject.id === U(1));
      expect(data.map((event) => event.data)).toEqual([{ id: U(1) }, { id: U(1) }]);
    });

    test('lets go of who loses the last membership to two looks', async () => {
      await round({ users: [removed(U(1))] });
      const lookedAt = async () => {
        const slice = await openRound(store, no);
        await applyPages(store, slice, 'users', [[object(U(1))]]);
        await applyPages(store, slice, 'groups', []);
        await finishRound(store, slice, () => []);
      };
      await lookedAt();
      await sql`
        UPDATE restored_object SET looked_at = looked_at - interval '10 minutes' WHERE tenant_no = ${no}`.execute(
        backend().db,
      );
      await lookedAt();
      expect((await snapshotOf(store, no)).users).toEqual({});
      expect((await told()).at(-1)).toBe(`user.deleted ${U(1)}`);
    });

    test('fetches whom a look alone finds in a group that is back', async () => {
      await round({ groups: [removed(G(1))] });
      const slice = await openRound(store, no);
      await applyPages(store, slice, 'users', []);
      await applyPages(store, slice, 'groups', [[object(G(1), {}, [joins(U(1))])]]);
      await lookAround(store, slice, () =>
        [1, 3].map((number) => ({ groupId: G(1), memberId: U(number), memberType: 'user' })),
      );
      expect(await fill(store, slice, (_, id) => (id === U(2) ? undefined : object(id)))).toContain(U(3));
      await finishRound(store, slice);
      expect(Object.keys((await snapshotOf(store, no)).users)).toEqual([U(1), U(3)]);
    });

    test('lets nobody go for another scope before a group of it is read to its end', async () => {
      await store.tenants.update(no, { groupsToSync: [G(2)] });
      const slice = await openRound(store, no);
      await store.sync.unresolvedGroups(fencesOf(slice));
      await applyPages(store, slice, 'users', []);
      await applyPages(store, slice, 'groups', []);
      const wanted = await store.sync.wantedObjects(fencesOf(slice), 50);
      if (!wanted || wanted === 'superseded') throw new Error('No group is wanted');
      const half = { items: [object(G(2), {}, [joins(U(3))])], nextLink: 'the other half' };
      await store.sync.applyPicked(slice.feeds.groups.fence, wanted, half);
      // What comes after it is refused in this round.
      await finishRound(store, slice);
      await round({}, [object(G(2), {}, [joins(U(1)), joins(U(3))]), object(U(3))]);
      expect(await told()).not.toContain(`user.deleted ${U(1)}`);
      expect(await snapshotOf(store, no)).toMatchObject({
        users: { [U(1)]: {}, [U(3)]: {} },
        groups: { [G(2)]: {} },
      });
    });

    test('tells what a full round only missed as the word of the directory', async () => {
      const slice = await openRound(store, no, 'full');
      const fences = fencesOf(slice);
      await store.sync.unresolvedGroups(fences);
      await applyPages(store, slice, 'groups', [[object(G(1))]]);
      await applyPages(store, slice, 'users', [[object(U(1), { jobTitle: 'Clerk' })]]);
      const device = joins(uuid('d', 1), 'device');
      const looks: RemovalLooks = {
        confirm: () => Promise.resolve({ verdict: 'hold' }),
        relist: async (missed) => {
          const items = [object(G(1), {}, [joins(U(1)), device])];
          await store.sync.applyPicked(slice.feeds.groups.fence, missed, { items });
          return 'relisted';
        },
      };
      const { signal } = new AbortController();
      expect(await store.sync.applyRemovals(fences, () => undefined, signal, looks)).toBe('applied');
      await store.sync.completeRound(fences);
      const [added] = await eventsAfter(store, cursor, no);
      expect(added).toMatchObject({ type: 'membership.added', reason: 'directory' });
    });

    test('applies objects that were asked for by id like a page, and moves no checkpoint', async () => {
      await store.tenants.update(no, { groupsToSync: [], scope: {} });
      ({ no } = await boundTenant(store));
      const slice = await openRound(store, no);
      const { fence } = slice.feeds.users;
      const wanted: WantedObjects = { feed: 'users', ids: [U(7)], why: 'due' };
      expect(await store.sync.applyPicked(fence, wanted, { items: [object(U(7), { displayName: 'Picked' })] })).toEqual(
        {
          changes: 1,
        },
      );
      expect((await snapshotOf(store, no)).users).toEqual({ [U(7)]: { displayName: 'Picked' } });
      const again = await openRound(store, no, 'full', (await liveTenant(store, no)).round?.id);
      expect(again.feeds.users).toMatchObject({ done: false, link: undefined });
      expect(await store.sync.applyPicked(fence, wanted, { items: [removed(U(7))] })).toBe('superseded');
    });

    test('is shown whatever happens to the directory and to the scope itself, and events tell every difference', async () => {
      let faults: FaultyPool | undefined;
      const faulty = backend().through((pool) => (faults = new FaultyPool(pool)));
      const pool = faults;
      if (!pool) throw new Error('No pool');
      await fc.assert(
        fc.asyncProperty(fc.array(chapter, { minLength: 2, maxLength: 6 }), async (chapters) => {
          const tenant = await boundTenant(faulty);
          const play = new ScopedPlay(faulty, pool, backend().db, tenant.no);
          for (const one of chapters) await play.round(one);
          await play.rest();
        }),
        historyRuns('Histories of a scope', { seed: 20261126, runs: 40, ms: 15_000 }),
      );
    }, 600_000);
  });
}
