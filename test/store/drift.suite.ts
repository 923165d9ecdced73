import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { RoundKind } from '../../src/domain/activities.ts';
import { type Attributes, type DeltaItem, type Feed, FEEDS, type MemberType } from '../../src/domain/directory.ts';
import type { FeedEvent } from '../../src/domain/event.ts';
import type { Fence, OpenSlice } from '../../src/store/face/sync.ts';
import type { Store } from '../../src/store/store.ts';
import type { Backend } from './backend.ts';
import { Reader } from './fold.ts';
import { BEGINNING, operation } from './histories.suite.ts';
import { historyRuns } from './history-runs.ts';
import {
  boundTenant,
  eventsAfter,
  fencesOf,
  finishRound,
  joins,
  leaves,
  lookAround,
  object,
  openRound,
  removed,
  type Snapshot,
  snapshotOf,
} from './rounds.ts';
import { type Asked, idOf, isSilent, NAMES, type Operation, splitKey, Truth } from './truth.ts';

/** What becomes of the second look of a round, once it has read something. */
type Look = 'whole' | 'cut' | 'restarted' | 'forgotten';

type Step =
  | { readonly step: 'silent' | 'loud'; readonly operations: readonly Operation[] }
  | { readonly step: 'round'; readonly kind: RoundKind; readonly look: Look }
  | { readonly step: 'compare'; readonly pages: number }
  /** All of a reconcile, and what happens after its second look. */
  | { readonly step: 'reconcile'; readonly look: Look; readonly operations: readonly Operation[] }
  | { readonly step: 'ask' | 'start_over' | 'age' };

const operations = fc.array(operation, { minLength: 1, maxLength: 6 });
const look = fc.constantFrom<Look>('whole', 'whole', 'cut', 'restarted', 'forgotten');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ step: fc.constant('reconcile' as const), look, operations }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('silent' as const), operations }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('loud' as const), operations }) },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('round' as const),
      kind: fc.constantFrom<RoundKind>('delta', 'delta', 'delta', 'delta', 'full'),
      look,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ step: fc.constant('compare' as const), pages: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 4, arbitrary: fc.constant({ step: 'age' as const }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constantFrom('ask' as const, 'start_over' as const) }) },
);

const PAGE = 2;

/** Plays delta rounds and reconciles of a directory against a store, and holds every event against what really happened. */
class Play {
  readonly #backend: Backend;
  readonly #store: Store;
  readonly #no: number;
  readonly #truth = new Truth();
  /** What a comparison reads is as old as its beginning. */
  #read: Record<Feed, readonly DeltaItem[]> = { users: [], groups: [] };
  /** How often each thing really changed since the first import, and was told to. */
  readonly #changes = new Map<string, number>();
  readonly #told = new Map<string, number>();
  /** The directory as it was at any moment since the last complete round began. */
  #moments: Snapshot[] = [];
  #reader: Reader | undefined;
  #cursor = '';

  constructor(backend: Backend, no: number) {
    this.#backend = backend;
    this.#store = backend.store;
    this.#no = no;
  }

  async begin(): Promise<void> {
    for (const one of BEGINNING) this.#truth.do(one);
    await this.#round('full', 'whole');
    this.#cursor = await this.#store.feed.head();
    this.#reader = new Reader(await snapshotOf(this.#store, this.#no));
    this.#moments = [this.#truth.visible()];
  }

  async do(one: Step): Promise<void> {
    switch (one.step) {
      case 'silent':
      case 'loud':
        for (const each of one.operations) this.#happens(each, one.step);
        return;
      case 'round':
        return this.#round(one.kind, one.look);
      case 'compare':
        return this.#compare(one.pages);
      case 'reconcile':
        await this.#compare(100);
        await this.do({ step: 'age' });
        await this.#round('delta', one.look);
        return this.do({ step: 'silent', operations: one.operations });
      case 'ask':
        return this.#store.reconcile.ask(this.#no);
      case 'start_over':
        return this.#startOver();
      case 'age':
        await sql`UPDATE suspect SET seen_at = seen_at - interval '6 minutes' WHERE tenant_no = ${this.#no}`.execute(
          this.#backend.db,
        );
    }
  }

  /** Nothing happens any more: whatever delta query said nothing of is found, and told once. */
  async heal(): Promise<void> {
    await this.#round('delta', 'whole');
    await this.#round('delta', 'whole');
    const mirror = await snapshotOf(this.#store, this.#no);
    const before = new Map(this.#told);
    // One that is under way may be older than what was silent last.
    await this.#compare(100);
    await this.#compare(100);
    for (let n = 0; n < 3; n++) {
      await this.do({ step: 'age' });
      await this.#round('delta', 'whole');
    }
    const truth = this.#truth.visible();
    expect(await snapshotOf(this.#store, this.#no)).toEqual(truth);
    expect(this.#reader?.snapshot()).toEqual(truth);
    const told = Object.fromEntries(
      Array.from(this.#told, ([key, n]) => [key, n - (before.get(key) ?? 0)] as const).filter(([, n]) => n > 0),
    );
    expect(told).toEqual(differences(mirror, truth));
    for (const [key, n] of this.#told) expect([key, n <= (this.#changes.get(key) ?? 0)]).toEqual([key, true]);
    const status = await this.#store.reconcile.status(this.#no);
    expect([status?.waiting, (status?.drift ?? 0) > 0]).toEqual([0, Object.keys(told).length > 0]);
  }

  #happens(one: Operation, how: 'silent' | 'loud'): void {
    const before = this.#truth.visible();
    if (how === 'silent') this.#truth.doSilently(one);
    else this.#truth.do(one);
    const after = this.#truth.visible();
    for (const [key, n] of Object.entries(differences(before, after))) this.#changed(key, n);
    // Of something that the mirror has not, a delta tells but a part: the rest is one more difference.
    if (how === 'loud') for (const id of spokenOf(one, before)) this.#changed(id, 1);
    this.#moments.push(after);
  }

  #changed(key: string, n: number): void {
    this.#changes.set(key, (this.#changes.get(key) ?? 0) + n);
  }

  /** All that a fresh read shows, of some or of everybody. */
  #items(feed: Feed, ids?: readonly string[]): readonly DeltaItem[] {
    const { memberships, ...objects } = this.#truth.visible();
    return Object.entries(objects[feed])
      .filter(([id]) => ids?.includes(id) ?? true)
      .map(([id, values]) => object(id, values, feed === 'groups' ? membersOf(memberships, id) : []));
  }

  async #compare(pages: number): Promise<void> {
    const { reconcile } = this.#store;
    for (let n = 0; n < pages; n++) {
      if (n === 0) await reconcile.ask(this.#no);
      const opened = await reconcile.open(this.#no);
      if (opened === 'nothing_due' || opened.step !== 'compare') return;
      const feed = FEEDS.find((one) => !opened.feeds[one].done);
      if (feed) {
        const { link } = opened.feeds[feed];
        if (feed === 'users' && link === undefined) {
          this.#read = { users: this.#items('users'), groups: this.#items('groups') };
        }
        const at = Number(link ?? 0);
        const items = this.#read[feed].slice(at, at + PAGE);
        const goesOn = at + PAGE < this.#read[feed].length;
        const page = { items, ...(goesOn ? { nextLink: String(at + PAGE) } : { deltaLink: 'delta' }) };
        expect(await reconcile.comparePage(opened.fence, feed, page)).toBe('compared');
      } else {
        expect(await reconcile.finish(opened.fence)).not.toBe('superseded');
        return;
      }
    }
  }

  async #startOver(): Promise<void> {
    const opened = await this.#store.reconcile.open(this.#no);
    if (opened !== 'nothing_due') await this.#store.reconcile.startOver(opened.fence, 0);
  }

  async #round(kind: RoundKind, look: Look): Promise<void> {
    let slice = await openRound(this.#store, this.#no, kind, randomUUID());
    const from = this.#moments.length - 1;
    await this.#feeds(slice);
    await this.#lookAtRestored(slice);
    const looked = slice.kind === 'delta' ? await this.#secondLook(slice, look) : 'done';
    if (looked === 'cut') return this.#hear();
    if (looked === 'forgotten') {
      slice = await openRound(this.#store, this.#no, 'delta', randomUUID());
      expect(slice.kind).toBe('full');
      await this.#feeds(slice);
      await this.#lookAtRestored(slice);
    }
    await finishRound(this.#store, slice);
    await this.#hear();
    this.#moments = this.#moments.slice(Math.max(from, 0));
  }

  async #feeds(slice: OpenSlice): Promise<void> {
    for (const feed of FEEDS) {
      const asked = this.#truth.ask(feed);
      const unsaid = feed === 'groups' ? [...asked.changedMembers].filter((key) => isSilent(key, asked)) : [];
      const items = slice.kind === 'full' ? this.#items(feed) : deltaItems(this.#truth, feed, asked);
      this.#truth.giveBackMembers(unsaid);
      const applied = await this.#store.sync.applyPages(slice.feeds[feed].fence, [{ items, deltaLink: 'delta' }]);
      expect(applied).not.toBe('superseded');
    }
  }

  #lookAtRestored(slice: OpenSlice): Promise<void> {
    return lookAround(this.#store, slice, ({ id }) => this.#truth.around(id));
  }

  async #secondLook(slice: OpenSlice, look: Look): Promise<'done' | 'cut' | 'forgotten'> {
    const { sync, reconcile } = this.#store;
    const fences: readonly Fence[] = fencesOf(slice);
    for (;;) {
      const due = await sync.suspectsDue(fences);
      if (due === 'superseded') throw new Error('Superseded');
      if (!due) return 'done';
      const { fence } = slice.feeds[due.feed];
      const items = this.#items(due.feed, due.ids);
      const half = Math.ceil(items.length / 2);
      await sync.applyPicked(fence, due, { items: items.slice(0, half), nextLink: 'half' });
      expect(await sync.suspectsDue(fences)).toEqual({ ...due, link: 'half' });
      if (look === 'cut') return 'cut';
      if (look === 'forgotten') {
        await sync.restartAsFull(fences);
        expect(await sync.settleSuspects(fences, due)).toBe('superseded');
        return 'forgotten';
      }
      await sync.applyPicked(fence, { ...due, link: 'half' }, { items: items.slice(half) });
      if (look === 'restarted') {
        await reconcile.ask(this.#no);
        await this.#compare(1);
      }
      expect(await sync.settleSuspects(fences, due)).toEqual({
        settled: look === 'restarted' ? expect.any(Number) : due.ids.length,
      });
    }
  }

  /** Reads what was told: each a true difference, and nothing goes that was there all the time. */
  async #hear(): Promise<void> {
    const reader = this.#reader;
    if (!reader) return;
    for (const event of await eventsAfter(this.#store, this.#cursor, this.#no)) {
      reader.read(event);
      const set = setOf(event);
      if (!set) continue;
      const { id } = event.subject;
      this.#told.set(id, (this.#told.get(id) ?? 0) + 1);
      if (!/deleted|removed/.test(event.type)) continue;
      expect([event.type, id, this.#moments.every((moment) => id in moment[set])]).toEqual([event.type, id, false]);
    }
    this.#cursor = await this.#store.feed.head();
  }
}

function setOf({ subject: { kind } }: FeedEvent): keyof Snapshot | undefined {
  return kind === 'user' || kind === 'group' || kind === 'membership' ? `${kind}s` : undefined;
}

function membersOf(memberships: Readonly<Record<string, MemberType>>, group: string) {
  return Object.entries(memberships).flatMap(([key, type]) => {
    const [groupId, memberId] = splitKey(key);
    return groupId === group ? [joins(memberId, type)] : [];
  });
}

function deltaItems(truth: Truth, feed: Feed, asked: Asked): readonly DeltaItem[] {
  const objects = Array.from(asked.changed).flatMap(([id, names]) => {
    const thing = asked.things.get(id);
    if (!thing) return [];
    if (thing.life !== 'live') return [removed(id, thing.life === 'soft' ? 'changed' : 'deleted')];
    const said = NAMES.filter((name) => names.has(name)).map((name) => [name, thing.values[name] ?? null]);
    return [object(id, Object.fromEntries(said) as Attributes)];
  });
  const members = [...asked.changedMembers].flatMap((key) => {
    if (feed === 'users' || isSilent(key, asked)) return [];
    const [groupId, memberId] = splitKey(key);
    const word = asked.members.has(key) ? joins : leaves;
    return [object(groupId, {}, [word(memberId, truth.typeOf(key))])];
  });
  return [...objects, ...members];
}

/** Things of which a delta may tell a part, because of this. */
function spokenOf(one: Operation, { groups }: Snapshot): readonly string[] {
  if ('group' in one) return [idOf('group', one.group)];
  if (one.op === 'purge') return Object.keys(groups);
  return one.op === 'set' ? [idOf(one.feed === 'users' ? 'user' : 'group', one.n)] : [];
}

/** Events that lead from one to the other, by what they are about: an account that is switched off has one of its own. */
function differences(from: Snapshot, to: Snapshot): Record<string, number> {
  const all: Record<string, number> = {};
  for (const set of ['users', 'groups', 'memberships'] as const) {
    for (const id of new Set([...Object.keys(from[set]), ...Object.keys(to[set])])) {
      const [before, after] = [from[set][id], to[set][id]];
      if (JSON.stringify(sorted(before)) === JSON.stringify(sorted(after))) continue;
      all[id] = set === 'users' ? eventsBetween(from.users[id], to.users[id]) : 1;
    }
  }
  return all;
}

function eventsBetween(before: Attributes | undefined, after: Attributes | undefined): number {
  if (!before || !after) return 1;
  const names = NAMES.filter((name) => (before[name] ?? null) !== (after[name] ?? null));
  const isDisabled = names.includes('accountEnabled') && after['accountEnabled'] === false;
  return isDisabled && names.length > 1 ? 2 : 1;
}

const sorted = (value: Attributes | MemberType | undefined) =>
  typeof value === 'object' ? Object.entries(value).toSorted(([a], [b]) => a.localeCompare(b)) : value;

/** The property that makes a mirror right though its feed is not. */
export function driftSuite(backend: () => Backend): void {
  describe('whatever delta query is silent about', () => {
    test('is found by a reconcile, proven by a second look and told once, whatever becomes of either', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
          const { no } = await boundTenant(backend().store);
          const play = new Play(backend(), no);
          await play.begin();
          for (const one of steps) await play.do(one);
          await play.heal();
        }),
        historyRuns('Histories with drift', { seed: 20261127, runs: 12 }),
      );
    }, 600_000);
  });
}
