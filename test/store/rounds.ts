import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { RoundKind } from '../../src/domain/activities.ts';
import type {
  Attributes,
  DeltaItem,
  DeltaPage,
  Feed,
  MemberChange,
  MemberType,
  Membership,
} from '../../src/domain/directory.ts';
import type { FeedEvent } from '../../src/domain/event.ts';
import type { ObjectRow } from '../../src/store/face/directory.ts';
import type { Fence, OpenSlice, RestoredObject } from '../../src/store/face/sync.ts';
import type { NewTenant, SyncSummary, TenantRow } from '../../src/store/face/tenants.ts';
import type { Store } from '../../src/store/store.ts';

/** Deterministic ids that say what they are of. */
export const uuid = (kind: 'u' | 'g' | 'd', n: number): string =>
  `${{ u: 'a', g: 'b', d: 'c' }[kind]}0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
export const U = (n: number): string => uuid('u', n);
export const G = (n: number): string => uuid('g', n);

export const HASHES = { users: 'users-query', groups: 'groups-query' };

export function newTenant(id: string, change: Partial<NewTenant> = {}): NewTenant {
  return {
    id,
    name: null,
    groupsToSync: [],
    expectedEntraTenant: null,
    requireApproval: false,
    sharedDirectory: false,
    ...change,
  };
}

/** A tenant that is bound to a directory and may be synced. */
export async function boundTenant(store: Store, id = `t-${randomUUID()}`): Promise<TenantRow> {
  const created = await store.tenants.create(newTenant(id));
  if (created === 'name_taken') throw new Error('The name is taken');
  const { no } = created.tenant;
  const bound = await store.consents.bind(no, randomUUID());
  expect(bound).toHaveProperty('kind', 'consent');
  await store.tenants.record({ tenantNo: no, phase: 'syncing', paused: false, problem: null, taken: [] });
  return liveTenant(store, no);
}

export async function liveTenant(store: Store, no: number): Promise<TenantRow> {
  const tenant = await store.tenants.byNo(no);
  if (!tenant) throw new Error('The tenant is gone');
  return tenant;
}

export const object = (id: string, attributes: Attributes = {}, members: readonly MemberChange[] = []): DeltaItem => ({
  kind: 'object',
  id,
  attributes,
  members,
});
export const removed = (id: string, reason: 'changed' | 'deleted' = 'changed'): DeltaItem => ({
  kind: 'removed',
  id,
  reason,
});
export const joins = (memberId: string, memberType: MemberType = 'user'): MemberChange => ({
  memberId,
  memberType,
  removed: false,
});
export const leaves = (memberId: string, memberType: MemberType = 'user'): MemberChange => ({
  memberId,
  memberType,
  removed: true,
});

export interface Round {
  readonly kind?: RoundKind;
  readonly id?: string;
  /** Pages of items. */
  readonly users?: readonly (readonly DeltaItem[])[];
  readonly groups?: readonly (readonly DeltaItem[])[];
  /** What Graph lists of those who came back. */
  readonly looks?: Look;
}

export type Look = (restored: RestoredObject) => readonly Membership[] | 'not_seen';

export async function openRound(
  store: Store,
  tenantNo: number,
  kind: RoundKind = 'delta',
  roundId: string = randomUUID(),
): Promise<OpenSlice> {
  const slice = await store.sync.openSlice({ tenantNo, roundId, kind, queryHash: HASHES });
  if (slice === 'halted' || 'completed' in slice) throw new Error('No round was opened');
  return slice;
}

export const fencesOf = (slice: OpenSlice): readonly Fence[] => [slice.feeds.users.fence, slice.feeds.groups.fence];

export async function applyPages(
  store: Store,
  slice: OpenSlice,
  feed: Feed,
  pages: readonly (readonly DeltaItem[])[],
): Promise<void> {
  const all = pages.length > 0 ? pages : [[]];
  for (const [index, items] of all.entries()) {
    const page: DeltaPage =
      index === all.length - 1 ? { items, deltaLink: `${feed}-delta` } : { items, nextLink: `${feed}-next-${index}` };
    expect(await store.sync.applyPages(slice.feeds[feed].fence, [page])).not.toBe('superseded');
  }
}

/** What is to be asked for by id, asked for and applied, until nothing is left. */
export async function fill(
  store: Store,
  slice: OpenSlice,
  answer: (feed: Feed, id: string) => DeltaItem | undefined,
): Promise<readonly string[]> {
  const asked: string[] = [];
  for (;;) {
    const wanted = await store.sync.wantedObjects(fencesOf(slice), 2);
    if (wanted === 'superseded') throw new Error('Superseded');
    if (!wanted) return asked;
    asked.push(...wanted.ids);
    const items = wanted.ids.flatMap((id) => answer(wanted.feed, id) ?? []);
    expect(await store.sync.applyPicked(slice.feeds[wanted.feed].fence, wanted, { items })).not.toBe('superseded');
    expect(await store.sync.objectsPicked(fencesOf(slice), wanted)).not.toBe('superseded');
  }
}

/** Settles what was kept of those who came back, as a slice does after its feeds. */
export async function lookAround(store: Store, slice: OpenSlice, looks: Look): Promise<void> {
  for (;;) {
    const due = await store.sync.restoredDue(slice.feeds.users.fence.tenantNo);
    if (due.length === 0) return;
    for (const restored of due) {
      expect(await store.sync.settleRestored(fencesOf(slice), restored, looks(restored))).toBe('settled');
    }
  }
}

export async function finishRound(store: Store, slice: OpenSlice, looks?: Look): Promise<SyncSummary> {
  const fences = fencesOf(slice);
  if (looks) await lookAround(store, slice, looks);
  expect(await store.sync.applyRemovals(fences, () => undefined, new AbortController().signal)).toBe('applied');
  const summary = await store.sync.completeRound(fences);
  if (summary === 'superseded') throw new Error('Superseded');
  return summary;
}

/** A whole round, users first. */
export async function runRound(store: Store, tenantNo: number, round: Round = {}): Promise<SyncSummary> {
  const slice = await openRound(store, tenantNo, round.kind, round.id);
  await applyPages(store, slice, 'users', round.users ?? []);
  await applyPages(store, slice, 'groups', round.groups ?? []);
  return finishRound(store, slice, round.looks);
}

export interface Snapshot {
  readonly users: Readonly<Record<string, Attributes>>;
  readonly groups: Readonly<Record<string, Attributes>>;
  readonly memberships: Readonly<Record<string, MemberType>>;
}

/** All of the mirror that can be seen, read in pages. */
export async function snapshotOf(store: Store, tenantNo: number, limit = 100): Promise<Snapshot> {
  const { directory } = store;
  const users = await readAll<ObjectRow>((after) => directory.users(tenantNo, after, limit));
  const groups = await readAll<ObjectRow>((after) => directory.groups(tenantNo, after, limit));
  const memberships = await readAll<Membership>((after) => directory.memberships(tenantNo, after, limit));
  return {
    users: Object.fromEntries(users.map((row) => [row.id, row.data])),
    groups: Object.fromEntries(groups.map((row) => [row.id, row.data])),
    memberships: Object.fromEntries(memberships.map((row) => [`${row.groupId}:${row.memberId}`, row.memberType])),
  };
}

async function readAll<T>(
  read: (after: string | undefined) => Promise<{ readonly data: readonly T[]; readonly next: string | null }>,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let after: string | undefined; ;) {
    const { data, next } = await read(after);
    all.push(...data);
    if (next === null) return all;
    after = next;
  }
}

export async function eventsAfter(store: Store, cursor: string, tenantNo?: number): Promise<readonly FeedEvent[]> {
  const all: FeedEvent[] = [];
  for (let after = cursor; ;) {
    const page = await store.feed.read(after, 500, tenantNo);
    if (page === 'expired') throw new Error('The cursor expired');
    all.push(...page.events);
    if (page.events.length < 500) return all;
    after = page.cursor;
  }
}

/** One line an event, as `type subject`. */
export async function toldAfter(store: Store, cursor: string, tenantNo?: number): Promise<readonly string[]> {
  return (await eventsAfter(store, cursor, tenantNo)).map((event) => `${event.type} ${event.subject.id}`);
}
