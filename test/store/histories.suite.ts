import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RoundKind } from '../../src/domain/activities.ts';
import { type DeltaPage, type Feed, FEEDS } from '../../src/domain/directory.ts';
import type { Database } from '../../src/store/schema.ts';
import type { OpenSlice } from '../../src/store/face/sync.ts';
import type { SyncSummary } from '../../src/store/face/tenants.ts';
import type { Store } from '../../src/store/store.ts';
import type { Backend } from './backend.ts';
import { deliver, type Delivery, wholeOf } from './delivery.ts';
import { historyRuns } from './history-runs.ts';
import { Expected } from './expected.ts';
import { Crash, FaultyPool } from './faults.ts';
import { Reader } from './fold.ts';
import { Random } from './random.ts';
import {
  boundTenant,
  eventsAfter,
  fencesOf,
  G,
  HASHES,
  liveTenant,
  lookAround,
  object,
  removed,
  snapshotOf,
  U,
} from './rounds.ts';
import { NAMES, type Operation, Truth } from './truth.ts';

/** One round of a history: what happens to the directory before it and while it runs, and what goes wrong. */
interface Chapter {
  readonly before: readonly Operation[];
  readonly between: readonly Operation[];
  readonly full: boolean;
  readonly groupsFirst: boolean;
  /** Both feeds at once, where the round is a full one. */
  readonly sideBySide: boolean;
  /** At most so many pages are written at once. */
  readonly together: number;
  /** Statements after which a crash comes, one a try. */
  readonly crashes: readonly number[];
  /** The page at which the links die. */
  readonly expires: number | null;
  /** The page at which this round is given up for another. */
  readonly abandoned: number | null;
  readonly seed: number;
}

/** Something to lose, so that the first operations already mean something. */
export const BEGINNING: readonly Operation[] = [
  ...[1, 2, 3].flatMap((n) =>
    FEEDS.map((feed) => ({ op: 'create', feed, n, values: { accountEnabled: true } }) as const),
  ),
  ...[1, 2, 3].map((n) => ({ op: 'join', group: 1, kind: 'user', n }) as const),
  ...[1, 2].map((n) => ({ op: 'join', group: 2, kind: 'user', n }) as const),
  { op: 'join', group: 2, kind: 'group', n: 1 },
  { op: 'join', group: 1, kind: 'group', n: 3 },
  { op: 'join', group: 3, kind: 'device', n: 1 },
];

const QUIET: Chapter = {
  before: [],
  between: [],
  full: true,
  groupsFirst: false,
  sideBySide: false,
  together: 1,
  crashes: [],
  expires: null,
  abandoned: null,
  seed: 1,
};
const CHANGES: readonly Operation[] = [
  ...FEEDS.map((feed) => ({ op: 'create', feed, n: 4, values: { accountEnabled: true } }) as const),
  ...FEEDS.flatMap((feed) =>
    [1, 3].map((n) => ({ op: 'set', feed, n, name: 'displayName', value: 'changed' }) as const),
  ),
  { op: 'delete', feed: 'users', n: 2 },
  { op: 'leave', group: 1, kind: 'user', n: 3 },
  { op: 'join', group: 3, kind: 'user', n: 1 },
  { op: 'join', group: 4, kind: 'user', n: 4 },
];
const LATER_CHANGES: readonly Operation[] = [
  { op: 'restore', feed: 'users', n: 2 },
  { op: 'delete', feed: 'groups', n: 2 },
  { op: 'join', group: 3, kind: 'user', n: 4 },
];

const feed = fc.constantFrom<Feed>('users', 'groups');
const n = fc.integer({ min: 1, max: 4 });
const text = fc.constantFrom('a', 'b', 'ü', null);
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('create' as const),
      feed,
      n,
      values: fc.constantFrom(
        {},
        { displayName: 'a' },
        { displayName: 'b', accountEnabled: true },
        { accountEnabled: false },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('set' as const),
      feed,
      n,
      name: fc.constantFrom(...NAMES.slice(1)),
      value: text,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('set' as const),
      feed: fc.constant('users' as const),
      n,
      name: fc.constant('accountEnabled' as const),
      value: fc.constantFrom(true, false, null),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      op: fc.constantFrom(
        'delete' as const,
        'restore' as const,
        'delete' as const,
        'restore' as const,
        'purge' as const,
      ),
      feed,
      n,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom('join' as const, 'join' as const, 'leave' as const),
      group: n,
      kind: fc.constantFrom('user' as const, 'user' as const, 'group' as const, 'device' as const),
      n,
    }),
  },
);
const page = fc.option(fc.integer({ min: 0, max: 4 }), { freq: 4 });
const chapter: fc.Arbitrary<Chapter> = fc.record({
  before: fc.array(operation, { maxLength: 12 }),
  between: fc.array(operation, { maxLength: 5 }),
  full: fc.constantFrom(true, false, false),
  groupsFirst: fc.boolean(),
  sideBySide: fc.boolean(),
  together: fc.integer({ min: 1, max: 3 }),
  crashes: fc.array(fc.integer({ min: 1, max: 14 }), { maxLength: 3 }),
  expires: page,
  abandoned: page,
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});

interface Mishaps {
  expires: number | null;
  abandoned: number | null;
  pages: number;
  readonly together: number;
}

/** The workflow asks for another round, whatever became of this one. */
class Abandoned extends Error {}
class Overtaken extends Crash {}

/** Plays a history against a store, with a model of what must come of it beside. */
class Play {
  readonly #store: Store;
  readonly #faults: FaultyPool;
  readonly #tenantNo: number;
  readonly #db: Database;
  readonly #truth = new Truth();
  readonly #expected = new Expected();
  #reader: { cursor: string; fold: Reader } | undefined;
  #deliveries: Partial<Record<Feed, Delivery>> = {};
  readonly #heard = new Set<Delivery>();
  /** As a slice knows it. */
  #inPart = false;

  constructor(store: Store, faults: FaultyPool, db: Database, tenantNo: number) {
    this.#store = store;
    this.#faults = faults;
    this.#tenantNo = tenantNo;
    this.#db = db;
  }

  begin(operations: readonly Operation[]): void {
    for (const operation of operations) this.#truth.do(operation);
  }

  /** Whether the links died, if they were to: a round may end before that page. */
  async round(chapter: Chapter): Promise<boolean> {
    const random = new Random(chapter.seed);
    for (const operation of chapter.before) this.#truth.do(operation);
    const crashes = [...chapter.crashes];
    const { expires, abandoned, together } = chapter;
    const mishaps: Mishaps = { expires, abandoned, pages: 0, together };
    let kind: RoundKind = chapter.full ? 'full' : 'delta';
    let roundId: string = randomUUID();
    let begun = '';
    for (let last: OpenSlice | undefined; ;) {
      const slice = await this.#open(roundId, kind);
      if ('completed' in slice) break;
      ({ kind } = slice);
      if (begun !== `${roundId} ${kind}`) this.#begin(slice);
      begun = `${roundId} ${kind}`;
      if (last) await this.#overtaken(last);
      last = slice;
      // Not where links die beside a page whose answer is lost: then nobody can say whether that page was written.
      const unclear = chapter.sideBySide && mishaps.expires !== null;
      this.#faults.arm(unclear ? 0 : (crashes.shift() ?? 0), random.pick(['before', 'after']));
      try {
        await this.#slice(slice, chapter, mishaps, random);
        break;
      } catch (error) {
        if (error instanceof Abandoned) {
          roundId = randomUUID();
          kind = 'delta';
        } else if (!(error instanceof Crash)) throw error;
      } finally {
        this.#faults.disarm();
      }
    }
    this.#expected.roundEnded();
    this.#deliveries = {};
    await this.#check();
    return mishaps.expires === null;
  }

  /** Nothing happens any more. What a look kept at a full round is swept by the next one. */
  async settle(): Promise<void> {
    for (const chapter of [QUIET, QUIET]) await this.round(chapter);
    expect(await snapshotOf(this.#store, this.#tenantNo)).toEqual(this.#truth.visible());
  }

  /** One slice, to the end of the round if nothing goes wrong. */
  async #slice(slice: OpenSlice, chapter: Chapter, mishaps: Mishaps, random: Random): Promise<void> {
    this.#inPart = slice.partial;
    const happen = () => {
      for (const operation of chapter.between) this.#truth.do(operation);
    };
    if (slice.kind === 'full' && chapter.sideBySide) {
      happen();
      const feeds = await Promise.allSettled(FEEDS.map((feed) => this.#feed(slice, feed, mishaps, random)));
      // A slice ends when both have: what goes on in the background would be another one's.
      const failed = feeds.filter((feed) => feed.status === 'rejected').map((feed) => feed.reason as unknown);
      const cause = failed.find((error) => !(error instanceof Overtaken)) ?? failed[0];
      if (cause !== undefined) throw cause;
    } else {
      const order = slice.kind === 'full' && chapter.groupsFirst ? [...FEEDS].reverse() : FEEDS;
      for (const feed of order) {
        await this.#feed(slice, feed, mishaps, random);
        if (feed === order[0]) happen();
      }
    }
    if (this.#inPart) await this.#fill(slice);
    await this.#look(slice);
    const fences = fencesOf(slice);
    expect(await this.#store.sync.applyRemovals(fences, () => undefined, new AbortController().signal)).toBe('applied');
    expect(await this.#store.sync.completeRound(fences)).not.toBe('superseded');
  }

  /** What was told in part is asked for whole. */
  async #fill(slice: OpenSlice): Promise<void> {
    const { sync } = this.#store;
    for (;;) {
      const wanted = await sync.wantedObjects(fencesOf(slice), 2);
      if (wanted === 'superseded') throw new Error('Superseded');
      if (!wanted) return;
      const { feed, ids } = wanted;
      const delivery = this.#deliveries[feed];
      if (!delivery) throw new Error(`No ${feed} were told`);
      const items = ids.flatMap((id) => wholeOf(delivery, id));
      expect(await sync.applyPicked(slice.feeds[feed].fence, wanted, { items })).not.toBe('superseded');
      expect(await sync.objectsPicked(fencesOf(slice), wanted)).not.toBe('superseded');
    }
  }

  /** Graph lists what it kept: all that the mirror kept too, since it may be older than what the feed has just said. */
  async #look(slice: OpenSlice): Promise<void> {
    const kept = await this.#db
      .selectFrom('membership')
      .select(['group_id as groupId', 'member_id as memberId', 'member_type as memberType'])
      .where('tenant_no', '=', this.#tenantNo)
      .execute();
    await lookAround(this.#store, slice, ({ id }) =>
      kept.filter(({ groupId, memberId }) => groupId === id || memberId === id),
    );
  }

  async #feed(slice: OpenSlice, feed: Feed, mishaps: Mishaps, random: Random): Promise<void> {
    if (slice.feeds[feed].done) return;
    this.#deliveries[feed] ??= deliver(this.#truth, feed, slice.kind, random, true);
    for (let at = this.#startOf(slice, feed), done = false; !done;) {
      if (mishaps.expires === mishaps.pages) {
        mishaps.expires = null;
        await this.#store.sync.restartAsFull(fencesOf(slice));
        throw new Crash('The links expired');
      }
      if (mishaps.abandoned === mishaps.pages) {
        mishaps.abandoned = null;
        throw new Abandoned();
      }
      const together = 1 + random.below(mishaps.together);
      mishaps.pages += together;
      done = await this.#pages(slice, feed, at, together);
      at += together;
    }
  }

  async #open(roundId: string, kind: RoundKind): Promise<OpenSlice | { readonly completed: SyncSummary }> {
    const slice = await this.#store.sync.openSlice({ tenantNo: this.#tenantNo, roundId, kind, queryHash: HASHES });
    if (slice === 'halted') throw new Error('Halted');
    return slice;
  }

  /** A round that begins anew hears again what the one before it did not hear to the end. */
  #begin(slice: OpenSlice): void {
    for (const feed of FEEDS) {
      const delivery = this.#deliveries[feed];
      if (delivery && (slice.kind === 'full' || !this.#heard.has(delivery))) this.#truth.giveBack(feed, delivery.asked);
    }
    if (slice.kind === 'full') this.#expected.beganFull();
    this.#deliveries = {};
  }

  #startOf(slice: OpenSlice, feed: Feed): number {
    const { link, fromDelta } = slice.feeds[feed];
    return link === undefined || fromDelta ? 0 : Number(link.split('#')[1]);
  }

  async #pages(slice: OpenSlice, feed: Feed, at: number, together: number): Promise<boolean> {
    const delivery = this.#deliveries[feed];
    const pages = delivery?.pages
      .slice(at, at + together)
      .map((items, n): DeltaPage =>
        at + n === delivery.pages.length - 1
          ? { items, deltaLink: `delta` }
          : { items, nextLink: `next#${at + n + 1}` },
      );
    const last = pages?.at(-1);
    if (!delivery || !pages || !last) throw new Error(`No page ${at} of ${feed}`);
    const done = last.nextLink === undefined;
    let applied: unknown = 'crashed after COMMIT';
    try {
      const written = await this.#store.sync.applyPages(slice.feeds[feed].fence, pages);
      applied = written;
      if (written !== 'superseded') this.#inPart ||= written.partial ?? false;
      // The other feed's links may have died meanwhile; nothing else overtakes this slice.
      if (applied === 'superseded') throw new Overtaken();
    } finally {
      // Where the answer was lost, only the database knows.
      if (typeof applied === 'object' || (await this.#wasCommitted(feed, last))) {
        this.#expected.sawPage(
          feed,
          pages.flatMap(({ items }) => items),
        );
        if (done) this.#hear(delivery);
      }
    }
    return done;
  }

  #hear(delivery: Delivery): void {
    this.#expected.delivered(delivery);
    this.#heard.add(delivery);
    this.#truth.giveBackMembers(delivery.unsaid);
  }

  async #wasCommitted(feed: Feed, page: DeltaPage): Promise<boolean> {
    const { done, next_link: link } = await this.#db
      .selectFrom('checkpoint')
      .select(['next_link', 'done'])
      .where('tenant_no', '=', this.#tenantNo)
      .where('feed', '=', feed)
      .executeTakeFirstOrThrow();
    return page.nextLink === undefined ? done : link === page.nextLink;
  }

  /** The slice before this one is out of action: nothing it brings is written. */
  async #overtaken(slice: OpenSlice): Promise<void> {
    const head = await this.#store.feed.head();
    for (const feed of FEEDS) {
      const items = [object(feed === 'users' ? U(1) : G(1), { displayName: 'late' }), removed(U(2)), removed(G(2))];
      expect(await this.#store.sync.applyPages(slice.feeds[feed].fence, [{ items, deltaLink: 'late' }])).toBe(
        'superseded',
      );
    }
    expect(await this.#store.sync.completeRound(fencesOf(slice))).toBe('superseded');
    expect(await this.#store.feed.head()).toBe(head);
  }

  async #check(): Promise<void> {
    const snapshot = await snapshotOf(this.#store, this.#tenantNo, 3);
    expect(snapshot).toEqual(this.#expected.snapshot());
    const { counts } = await liveTenant(this.#store, this.#tenantNo);
    expect(counts).toEqual({
      users: Object.keys(snapshot.users).length,
      groups: Object.keys(snapshot.groups).length,
      memberships: Object.keys(snapshot.memberships).length,
    });
    if (!this.#reader) {
      this.#reader = { cursor: await this.#store.feed.head(), fold: new Reader(snapshot) };
      return;
    }
    const { cursor, fold } = this.#reader;
    const events = await eventsAfter(this.#store, cursor, this.#tenantNo);
    for (const event of events) fold.read(event);
    this.#reader = { cursor: events.at(-1)?.id ?? cursor, fold };
    expect(fold.snapshot()).toEqual(snapshot);
  }
}

/** Histories of a tenant, told in every way that Graph may tell them, to a store that keeps crashing. */
export function historiesSuite(backend: () => Backend): void {
  describe.each([
    ['delta', false],
    ['full', true],
  ])('links that die at any page of a %s round', (_, full) => {
    test('lead to the truth, and every difference is one event', async () => {
      let faults: FaultyPool | undefined;
      const store = backend().through((pool) => (faults = new FaultyPool(pool)));
      const pool = faults;
      if (!pool) throw new Error('No pool');
      let page = 0;
      for (let died = true; died; page++) {
        const { no } = await boundTenant(store);
        const play = new Play(store, pool, backend().db, no);
        play.begin(BEGINNING);
        await play.round(QUIET);
        died = await play.round({ ...QUIET, before: CHANGES, between: LATER_CHANGES, full, expires: page });
        await play.round({ ...QUIET, full: false });
      }
      // The last one asked for a page that the round has not.
      expect(page - 1).toBeGreaterThanOrEqual(5);
      process.stderr.write(`Links died at each of ${page - 1} pages\n`);
    }, 120_000);
  });

  describe('whatever happens to a tenant, and however it is told', () => {
    test('the mirror comes to the truth, and every difference is one event', async () => {
      let faults: FaultyPool | undefined;
      const store = backend().through((pool) => (faults = new FaultyPool(pool)));
      const pool = faults;
      if (!pool) throw new Error('No pool');
      await fc.assert(
        fc.asyncProperty(fc.array(chapter, { minLength: 2, maxLength: 8 }), async (chapters) => {
          const { no } = await boundTenant(store);
          const play = new Play(store, pool, backend().db, no);
          play.begin(BEGINNING);
          for (const chapter of chapters) await play.round(chapter);
          await play.settle();
        }),
        historyRuns('Histories', { seed: 20261121, runs: 60 }),
      );
    }, 600_000);
  });
}
