import type { RoundKind } from '../../domain/activities.ts';
import type { DeltaPage, Feed, Membership, ObjectKind } from '../../domain/directory.ts';
import type { Sample, Suspect } from '../../domain/guard.ts';
import type { ThrottleScope } from '../../domain/throttle.ts';
import type { Chosen, GroupCandidate } from '../../domain/scope.ts';
import type { RoundEnd } from './tenants.ts';

/** What a page transaction must still hold. */
export interface Fence {
  readonly tenantNo: number;
  readonly feed: Feed;
  readonly epoch: number;
}

export interface OpenFeed {
  readonly fence: Fence;
  readonly done: boolean;
  /** Where to go on: the next page, or the last round's deltaLink, or undefined for the initial query. */
  readonly link: string | undefined;
  /** True if `link` is a deltaLink, i.e. this is the first request of a delta round. */
  readonly fromDelta: boolean;
}

export interface OpenSlice {
  readonly kind: RoundKind;
  readonly quiet: boolean;
  readonly entraTenant: string;
  /** Restored objects wait for a look at their memberships. */
  readonly restored: boolean;
  /** Objects that are known in part are to be asked for whole. */
  readonly partial: boolean;
  /** What a reconcile found waits for a second look. */
  readonly suspects: boolean;
  /** A reconcile is due or under way, or Graph's counts are to be asked for. */
  readonly reconcileDue: boolean;
  /** When the tenant's subscriptions are to be looked after, and at which address they tell; null: it has none. */
  readonly subscriptions: { readonly keepAt: Date; readonly baseUrl: string | null } | null;
  /** Attributes beside the contract's that the tenant chose. */
  readonly chosen: Chosen;
  /** Less than the whole directory is mirrored, or was until now. */
  readonly scope: { readonly assignedOnly: boolean } | null;
  readonly feeds: Readonly<Record<Feed, OpenFeed>>;
}

/** Back from a soft deletion, by the feed's word. */
export interface RestoredObject {
  readonly kind: ObjectKind;
  readonly id: string;
}

/** Objects that are to be asked for by id, whole. */
export interface WantedObjects {
  readonly feed: Feed;
  readonly ids: readonly string[];
  /**
   * `assigned`: groups that are assigned to the application, of which the members are wanted. `due`: what else the scope may
   * let in. `missed`: groups of which a full round missed memberships. `partial`: what
   * the feed first mentioned in part. `second_look`: what a reconcile suspects.
   */
  readonly why: 'assigned' | 'due' | 'missed' | 'partial' | 'second_look';
  /** Of the page to go on with, where an earlier slice of the round came to; undefined: of the first. */
  readonly link?: string | undefined;
}

/** A page of objects that were asked for by id. */
export type PickedPage = Pick<DeltaPage, 'items' | 'nextLink'> & Skipping;

/** Somebody who is assigned to the application, or a group whose direct members are. */
export interface Assignment {
  readonly principalId: string;
  readonly kind: 'user' | 'group';
}

/** What of a page could not be read, by reason: counted for an operator to see. */
export interface Skipping {
  readonly skipped?: Readonly<Record<string, number>>;
}

export interface SyncStore {
  /**
   * Raises the fences of both feeds and begins the round, or finds the running one with this id again.
   * A delta round becomes a full one where a feed has no deltaLink, another query hash, or other chosen attributes. `halted`: the tenant is paused,
   * revoked, being deleted or gone. A summary: the round with this id is complete already. A pending hint is taken: what is
   * told from here on is worth a further one.
   */
  openSlice(input: {
    readonly tenantNo: number;
    readonly roundId: string;
    readonly kind: RoundKind;
    readonly queryHash: Readonly<Record<Feed, string>>;
  }): Promise<OpenSlice | 'halted' | { readonly completed: RoundEnd }>;
  /** Microsoft asked us to wait, in one tenant or (`application`) in all: no worker asks before `until`. */
  throttle(scope: number | 'application', until: Date): Promise<void>;
  /** The longest wait that holds a tenant now, and whose limit it is of. */
  throttled(tenantNo: number): Promise<{ readonly limitOf: ThrottleScope; readonly until: Date } | undefined>;
  /**
   * Rows, events and checkpoint of one page, or of some that follow each other, in one transaction. `faulty`: its links lead
   * in a circle, or the round goes on far beyond a full one and says nothing new. `partial`: they first mention something in
   * part, which is now to be asked for whole.
   */
  applyPages(
    fence: Fence,
    pages: readonly (DeltaPage & Skipping)[],
  ): Promise<{ readonly changes: number; readonly faulty?: true; readonly partial?: true } | 'superseded'>;
  /**
   * Rows and events of a page of objects that were asked for by id, whole as the feed sees them. Not the feed's checkpoint
   * moves but their own: `wanted.link` is the page's, and its `nextLink` where another slice goes on. `faulty`: as of a feed.
   */
  applyPicked(
    fence: Fence,
    wanted: WantedObjects,
    page: PickedPage,
  ): Promise<{ readonly changes: number; readonly faulty?: true } | 'superseded'>;
  /** Some of the suspects that are due for a second look in the running round, all of one kind. */
  suspectsDue(fences: readonly Fence[]): Promise<WantedObjects | undefined | 'superseded'>;
  /**
   * Of those that are suspect still, stages what the second look (items applied as such) did not meet. What the look comes to
   * is counted as drift.
   */
  settleSuspects(fences: readonly Fence[], looked: WantedObjects): Promise<{ readonly settled: number } | 'superseded'>;
  /** They cannot be asked for: the mirror stays as the feed told it. */
  dropSuspects(fences: readonly Fence[], looked: WantedObjects): Promise<'superseded' | void>;
  /** What was left out so far, the latest first; `lastAt` in ISO 8601. */
  skipped(tenantNo: number): Promise<readonly SkippedPart[]>;
  /**
   * Of a tenant with a scope: notes what a change of it may let in, and returns the entries by name of which no live group
   * is mirrored.
   */
  unresolvedGroups(fences: readonly Fence[]): Promise<readonly string[] | 'superseded'>;
  /** Groups that an entry by name may mean. One is kept by its id; none or several wait for a person. */
  groupFound(fences: readonly Fence[], entry: string, found: readonly GroupCandidate[]): Promise<'superseded' | void>;
  /** All that is assigned to the application now. */
  assignedListed(fences: readonly Fence[], assignments: readonly Assignment[]): Promise<'superseded' | void>;
  /** Whether groups of a scope were read, in this round or since the deleted were listed last. */
  wantsDeleted(fences: readonly Fence[]): Promise<boolean | 'superseded'>;
  /** Who is soft-deleted in the directory now, beside who was: whom a feed speaks of again is looked at as restored. */
  deletedListed(
    fences: readonly Fence[],
    deleted: Readonly<Record<Feed, readonly string[]>>,
  ): Promise<'superseded' | void>;
  /**
   * Some objects that are known in part, or that the scope lets in and the mirror has not; with `feed` of that feed alone,
   * with `after` of users those beyond that id. Undefined: there are none.
   */
  wantedObjects(
    fences: readonly Fence[],
    limit: number,
    only?: { readonly feed?: Feed | undefined; readonly after?: string | undefined },
  ): Promise<WantedObjects | undefined | 'superseded'>;
  /** They were asked for, and what came of it is applied. */
  objectsPicked(fences: readonly Fence[], wanted: WantedObjects): Promise<'superseded' | void>;
  /**
   * Graph refuses them as one question: they stay wanted, and are asked for again in the next round. `begun`: they were
   * read in part, and nothing else is read before that is known.
   */
  objectsRefused(fences: readonly Fence[], wanted: WantedObjects): Promise<'put_off' | 'begun' | 'superseded'>;
  /** The feed's links are dead: the round becomes a full one, from the start, beside the mirror. */
  restartAsFull(fences: readonly Fence[]): Promise<'restarted' | 'superseded'>;
  /**
   * A delta round goes on without a feed that Graph refuses: what half of it staged is dropped, its deltaLink stays for the
   * next round, and the round, once complete, moves no `asOf`.
   */
  setAside(fences: readonly Fence[], feed: Feed): Promise<'set_aside' | 'superseded'>;
  /** Restored objects whose memberships are to be looked at in the running round, some at a time. */
  restoredDue(tenantNo: number): Promise<readonly RestoredObject[]>;
  /**
   * What Graph lists of a restored object's memberships is told if it was kept, and added if it was missing; what it does
   * not list stays hidden, and goes if a second look misses it too. The feed's words win. `not_seen`: Graph does not show
   * the object yet.
   */
  settleRestored(
    fences: readonly Fence[],
    restored: RestoredObject,
    listed: readonly Membership[] | 'not_seen',
  ): Promise<'settled' | 'superseded'>;
  /**
   * After both deltaLinks: in a full round stages what was not seen; then applies staged removals with their events,
   * a batch a transaction, and calls `heartbeat` after each. Stops early when `signal` aborts, or a look says so.
   */
  applyRemovals(
    fences: readonly Fence[],
    heartbeat: () => void,
    signal: AbortSignal,
    looks?: RemovalLooks,
  ): Promise<'applied' | 'stopped' | 'superseded'>;
  /** Tells `sync.completed` (always for full rounds, for delta rounds only if something changed), sets `asOf` and counts. */
  completeRound(fences: readonly Fence[]): Promise<RoundEnd | 'superseded'>;
}

/** Something of a feed's pages that could not be read; reasons name types and attributes, never values. */
export interface SkippedPart {
  readonly feed: Feed;
  readonly reason: string;
  readonly count: number;
  readonly lastAt: string;
}

/** What must be asked of Graph before removals are believed. */
export interface RemovalLooks {
  /** Reads groups again of which a full round missed memberships, and applies what they have now as picked objects. */
  relist(missed: WantedObjects): Promise<'relisted' | 'stop'>;
  /** Looks at some of the removals that are beyond the tenant's guard, and would be held. */
  confirm(suspects: readonly Suspect[]): Promise<Confirmation>;
}

/** What a fresh read made of the suspects: `stop` leaves all as it stands, for another try. */
export type Confirmation =
  { readonly verdict: 'hold'; readonly sample?: Sample | undefined } | { readonly verdict: 'stop' };
