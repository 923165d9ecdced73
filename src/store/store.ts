import type {
  MemberType,
  Feed,
  DeltaPage,
  Attributes,
  Membership,
  ObjectKind,
  RemovalReason,
} from '../domain/directory.ts';
import type { KeyRole } from '../domain/api-key.ts';
import type { Actor } from '../domain/audit.ts';
import type { Retention } from '../domain/retention.ts';
import type { FeedEvent } from '../domain/event.ts';
import type { SealedPlace } from '../domain/sealed.ts';
import type { Phase, TenantState } from '../domain/tenant.ts';
import type { GrantCheck, Profile } from '../domain/permissions.ts';
import type { ProblemRecord } from '../domain/problem.ts';
import type { RoundKind, TenantRecord } from '../domain/activities.ts';
import type { Guard, Guarded, GuardSettings, Sample, Suspect } from '../domain/guard.ts';
import type { IntentKind } from '../domain/intent.ts';
import type { Drift, DriftCount } from '../domain/reconcile.ts';
import type { Chosen, GroupCandidate, Scope, ScopeGroup, ScopeSettings } from '../domain/scope.ts';
import type { SignIn, SignInSettings } from '../domain/sign-in.ts';

/** The persistence room's face. One implementation serves PostgreSQL and PGlite: the same SQL on both. */
export interface Store {
  readonly tenants: TenantStore;
  readonly intents: IntentStore;
  readonly consents: ConsentStore;
  readonly signIns: SignInStore;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
  readonly sealed: SealedStore;
  readonly tokens: TokenStore;
  readonly sync: SyncStore;
  readonly held: HeldStore;
  readonly reconcile: ReconcileStore;
  readonly subscriptions: SubscriptionStore;
  readonly directory: DirectoryStore;
  readonly preview: ScopePreviewStore;
  readonly feed: FeedStore;
  readonly retention: RetentionStore;
  /** Rejects where the database cannot be reached. */
  ping(): Promise<void>;
  /** Runs `work` if no other process holds the named lock, else returns at once. An advisory lock of one transaction. */
  exclusively(lock: string, work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

// ---- tenants -----------------------------------------------------------------------------------

export interface TenantRow {
  readonly no: number;
  readonly id: string;
  readonly name: string | null;
  readonly phase: Phase;
  readonly paused: boolean;
  readonly problem: ProblemRecord | null;
  readonly state: TenantState;
  readonly groupsToSync: readonly string[];
  readonly scope: Scope;
  /** The entries of `groupsToSync`, and what became of each. */
  readonly scopeGroups: readonly ScopeGroup[];
  readonly expectedEntraTenant: string | null;
  readonly entraTenantId: string | null;
  readonly candidate: ConsentCandidate | null;
  readonly requireApproval: boolean;
  readonly sharedDirectory: boolean;
  readonly guard: Guard;
  readonly profiles: readonly Profile[];
  readonly presentation: Presentation;
  /** What the last check of the grant saw; null before the first. */
  readonly grantCheck: GrantCheck | null;
  readonly signIn: SignIn;
  /** Set-up links of another serial lead nowhere. */
  readonly linkSerial: number;
  /** There is none of this serial either. */
  readonly linkRevoked: boolean;
  readonly lastSync: SyncSummary | null;
  /** Start of the last round completed in all feeds, ISO 8601. */
  readonly asOf: string | null;
  readonly counts: { readonly users: number; readonly groups: number; readonly memberships: number };
  /** The running round, else null. */
  readonly round: RoundProgress | null;
  /** Null before the first full round is complete. */
  readonly reconcile: ReconcileStatus | null;
  readonly retainDays: number;
  readonly createdAt: string;
  readonly deletingAt: string | null;
}

/** What the product's engineer says of the tenant to those who connect it. Addresses are https. */
export interface Presentation {
  readonly logoUrl?: string;
  /** Back to the product. */
  readonly returnUrl?: string;
  /** Who runs the product. */
  readonly owner?: string;
  /** Where the owner is reached: a mail address or a page. */
  readonly contact?: string;
}

/** A directory that consented, by an account that could not be shown to administer it. */
export interface ConsentCandidate {
  readonly entraTenantId: string;
  readonly account: string | null;
  readonly displayName: string | null;
  readonly domains: readonly string[];
  readonly at: string;
}

export interface SyncSummary {
  readonly kind: RoundKind;
  readonly startedAt: string;
  readonly completedAt: string;
  readonly changes: number;
  readonly pages: number;
}

export interface RoundProgress {
  readonly id: string;
  readonly kind: RoundKind;
  readonly startedAt: string;
  readonly pages: number;
  readonly changes: number;
}

/** A completed round; `heldSince` where removals are held for a person by now. */
export interface RoundEnd extends SyncSummary {
  readonly heldSince?: string;
  /** Entries of the groups to sync that fit no group, or several; absent: none. */
  readonly unresolvedGroups?: number;
}

export interface NewTenant {
  readonly id: string;
  readonly name: string | null;
  readonly groupsToSync: readonly string[];
  readonly expectedEntraTenant: string | null;
  readonly requireApproval: boolean;
  readonly sharedDirectory: boolean;
  /** Thresholds of its own. */
  readonly guard?: GuardSettings;
  readonly profiles?: readonly Profile[];
  readonly presentation?: Presentation;
  readonly scope?: ScopeSettings;
  /** Days that the mirror is kept after a revocation. */
  readonly retainDays?: number;
  readonly signIn?: SignInSettings;
}

export interface Page<T> {
  readonly data: readonly T[];
  /** The key to go on after, null at the end. */
  readonly next: string | null;
}

export interface TenantStore {
  /** Inserts the tenant and its `start` intent in one transaction. */
  create(tenant: NewTenant): Promise<{ readonly tenant: TenantRow; readonly intent: Intent } | 'name_taken'>;
  /** A live tenant by the product's name for it, else undefined. */
  byId(id: string): Promise<TenantRow | undefined>;
  byNo(no: number): Promise<TenantRow | undefined>;
  /** By id; with `no` that one alone. */
  list(after: string | undefined, limit: number, no?: number): Promise<Page<TenantRow>>;
  /** All live tenants, for the sweeper; number and name only. */
  live(): Promise<readonly { readonly no: number; readonly id: string }[]>;
  update(
    no: number,
    change: Partial<
      Pick<
        NewTenant,
        | 'name'
        | 'groupsToSync'
        | 'scope'
        | 'requireApproval'
        | 'sharedDirectory'
        | 'expectedEntraTenant'
        | 'guard'
        | 'retainDays'
        | 'profiles'
        | 'presentation'
        | 'signIn'
      >
    >,
  ): Promise<void>;
  /**
   * What the workflow decided: phase, paused, problem. Tells `tenant.state_changed` in the same transaction if the state
   * is another one, ticks the taken intents, and raises the fences where fetching must stop (paused, revoked).
   */
  record(record: TenantRecord): Promise<void>;
  /** Makes every set-up link that was handed out worthless; after `revoke` there is none until `renew`. */
  replaceLink(no: number, how: 'renew' | 'revoke'): Promise<void>;
  noteGrantCheck(no: number, check: GrantCheck): Promise<void>;
  /** Deletes in batches whatever the number owns, then tells `tenant.deleted` and frees the name, in its last transaction. */
  purge(no: number, heartbeat: () => void): Promise<void>;
  /**
   * Purges the mirror and the directory events of a tenant that was revoked longer ago than its data is kept, in batches,
   * and tells `tenant.purged`; the tenant stays. `dueAt`: when that is to be, null where nothing is left or it is not revoked.
   */
  purgeRevoked(no: number, heartbeat: () => void): Promise<{ readonly purged: boolean; readonly dueAt: string | null }>;
  /** Live tenants by state, for metrics. */
  countByState(): Promise<Readonly<Record<string, number>>>;
}

// ---- intents: what the API wants of the workflow --------------------------------------------------

export interface Intent {
  readonly id: string;
  /** Grows with each intent of the installation: tells the workflow which of two contrary wishes came later. */
  readonly seq: number;
  readonly tenantNo: number;
  readonly kind: IntentKind;
}

export interface IntentStore {
  /**
   * Commits the intent; for `delete` also marks the tenant as being deleted and raises its fences, for `approve_held` notes
   * how far the held set has come: what a round adds later is not approved.
   */
  add(tenantNo: number, kind: IntentKind): Promise<Intent>;
  /** Untaken intents older than `ageMs` of live tenants, oldest first. */
  open(ageMs: number): Promise<readonly (Intent & { readonly tenantId: string })[]>;
  tick(ids: readonly string[]): Promise<void>;
}

// ---- consent --------------------------------------------------------------------------------------

/** Microsoft's consent, the proof of who gave it, whether it is meant, and a person's sign-in: each with a state of its own. */
export type ConsentStep = 'consent' | 'proof' | 'confirm' | 'signin';

export interface ConsentAttempt {
  readonly tenantNo: number;
  readonly step: ConsentStep;
  readonly browserHash: Uint8Array;
  readonly entraTenant: string | null;
  /** What the step before handed over. */
  readonly sealed: Uint8Array | null;
}

export type AttemptRefusal = 'unknown' | 'used' | 'expired' | 'other_browser';
export type BindRefusal = 'directory_taken' | 'bound_to_another' | 'link_revoked';

/** How a consent began. */
export interface Begun {
  /** As the administrator named them; they hold only where the product has named none. */
  readonly groups?: readonly string[] | undefined;
  /** Of the set-up link, where it was one: after another serial it counts no more. */
  readonly linkSerial?: number | undefined;
}

export interface ConsentStore {
  begin(stateHash: Uint8Array, attempt: ConsentAttempt, expiresAt: Date): Promise<void>;
  /** Uses the state up if it is known, unused, unexpired and of this browser and its tenant is live; else changes nothing and says why. */
  use(stateHash: Uint8Array, browserHash: Uint8Array): Promise<ConsentAttempt | AttemptRefusal>;
  /** The same without using anything up. */
  look(stateHash: Uint8Array, browserHash: Uint8Array): Promise<ConsentAttempt | AttemptRefusal>;
  /** Why the directory cannot be bound now; a later `bind` may still find otherwise. */
  refusal(tenantNo: number, entraTenant: string): Promise<BindRefusal | undefined>;
  /** Binds the proven directory and commits the `consent` intent, in one transaction. */
  bind(tenantNo: number, entraTenant: string, begun?: Begun): Promise<Intent | BindRefusal>;
  /** Keeps a consent until the API approves it, and commits a `consent` intent that the workflow shows. */
  propose(tenantNo: number, candidate: ConsentCandidate, begun?: Begun): Promise<Intent | BindRefusal>;
  /** Binds the candidate and commits a `consent` intent. */
  approve(tenantNo: number): Promise<Intent | 'nothing_to_approve' | 'directory_taken'>;
  /** Drops attempts that expired a day ago. */
  sweep(): Promise<void>;
}

// ---- sign-in --------------------------------------------------------------------------------------

/** Somebody whom Microsoft signed in, and who may come in. Times are ISO 8601. */
export interface SignedIn {
  readonly tenantNo: number;
  readonly entraTenantId: string;
  readonly userId: string;
  readonly returnTo: string;
  /** When the person proved who they are to Microsoft, where it said so. */
  readonly authTime: string | null;
  readonly signedInAt: string;
}

export interface SignInStore {
  /** Of the mirror, soft-deleted people included. */
  person(
    tenantNo: number,
    userId: string,
  ): Promise<{ readonly data: Attributes; readonly deleted: boolean } | undefined>;
  issue(codeHash: Uint8Array, who: Omit<SignedIn, 'signedInAt'>, lifetimeMs: number): Promise<void>;
  /** Uses the code up, once and in time, if it is of this tenant where one is named; else undefined. */
  redeem(codeHash: Uint8Array, tenantNo?: number): Promise<SignedIn | undefined>;
  /** Drops codes that nobody exchanged in time. */
  sweep(): Promise<void>;
}

// ---- keys of the API --------------------------------------------------------------------------------

/** Times are ISO 8601. */
export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  /** The one tenant that it is for; null: all. */
  readonly tenant: { readonly no: number; readonly id: string } | null;
  readonly createdAt: string;
  /** To the minute. */
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

export interface ApiKeyStore {
  /** `hash`: SHA-256 of the key. Undefined where the tenant is gone. */
  create(
    key: Pick<ApiKeyRow, 'id' | 'name' | 'role'> & { readonly tenantNo: number | null; readonly hash: Uint8Array },
  ): Promise<ApiKeyRow | undefined>;
  /** The key with this hash unless it is revoked; notes its use, once a minute at most. */
  use(hash: Uint8Array): Promise<ApiKeyRow | undefined>;
  /** Revoked ones too, as long as the retention keeps them. */
  list(after: string | undefined, limit: number): Promise<Page<ApiKeyRow>>;
  /** From now on it opens nothing; repeating it does no harm. Undefined where there is none. */
  revoke(id: string): Promise<ApiKeyRow | undefined>;
}

// ---- who did what -----------------------------------------------------------------------------------

export interface NewAuditEntry {
  readonly actor: Actor;
  readonly keyId: string | null;
  /** Method and route, or the command: never a path, which may name people. */
  readonly action: string;
  readonly tenant: string | null;
  /** Something else than a tenant, by its id; never a person. */
  readonly subject: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
}

export interface AuditEntry extends NewAuditEntry {
  readonly no: number;
  /** ISO 8601. */
  readonly at: string;
  /** Null where nothing is known of the key any more. */
  readonly keyName: string | null;
  /** Of the answer; null where it broke off. */
  readonly status: number | null;
}

export interface AuditStore {
  /** Before the deed. Returns the entry's number. */
  begin(entry: NewAuditEntry): Promise<number>;
  /** What is known by now of whom it was about, and what became of it. */
  note(no: number, entry: Pick<AuditEntry, 'tenant' | 'subject' | 'status'>): Promise<void>;
  /** The latest first. */
  list(after: string | undefined, limit: number, tenant?: string): Promise<Page<AuditEntry>>;
}

// ---- what is sealed, for another key ------------------------------------------------------------------

export interface SealedStore {
  /** How many rows are sealed under which key, by its id. */
  countByKey(place: SealedPlace): Promise<ReadonlyMap<string, number>>;
  /**
   * Some of the rows that are not sealed under this key, after a key of a row (at first ''), in one transaction that keeps
   * others from them. What `change` leaves undefined stays. `last`: go on after it; undefined at the end.
   */
  reseal(
    place: SealedPlace,
    under: string,
    after: string,
    change: (key: string, sealed: Uint8Array) => Uint8Array | undefined,
  ): Promise<{ readonly changed: number; readonly last: string | undefined }>;
}

// ---- tokens ------------------------------------------------------------------------------------------

export interface TokenStore {
  put(tenantNo: number, sealed: Uint8Array, expiresAt: Date): Promise<void>;
  /** With until when Microsoft asked that nothing is asked of it in this tenant. */
  get(
    tenantNo: number,
  ): Promise<
    { readonly sealed: Uint8Array; readonly expiresAt: Date; readonly throttledUntil: Date | null } | undefined
  >;
}

// ---- sync: slices, pages, removals ---------------------------------------------------------------------

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
  /** Groups that are assigned to the application: their members are what is wanted. */
  readonly assigned: boolean;
}

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
  /**
   * Rows, events and checkpoint of one page, in one transaction. `faulty`: its links lead in a circle, or the round goes on
   * far beyond a full one and says nothing new.
   */
  applyPage(
    fence: Fence,
    page: DeltaPage & Skipping,
  ): Promise<{ readonly changes: number; readonly faulty?: true } | 'superseded'>;
  /** Rows and events of objects that were asked for by id, whole as the feed sees them; no checkpoint moves. */
  applyPicked(
    fence: Fence,
    page: Pick<DeltaPage, 'items'> & Skipping,
    why?: 'second_look',
  ): Promise<{ readonly changes: number } | 'superseded'>;
  /** Some of the suspects that are due for a second look in the running round, all of one kind: the look begins. */
  beginSecondLook(
    fences: readonly Fence[],
  ): Promise<{ readonly kind: ObjectKind; readonly ids: readonly string[] } | undefined | 'superseded'>;
  /**
   * Of those that are suspect still, stages what the second look (items applied as such) did not meet. What the look comes to
   * is counted as drift.
   */
  settleSuspects(
    fences: readonly Fence[],
    kind: ObjectKind,
    ids: readonly string[],
  ): Promise<{ readonly settled: number } | 'superseded'>;
  /** They cannot be asked for: the mirror stays as the feed told it. */
  dropSuspects(fences: readonly Fence[], kind: ObjectKind, ids: readonly string[]): Promise<'superseded' | void>;
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
  /** Some objects that the scope lets in and the mirror has not; with `feed` of that feed alone. Undefined: there are none. */
  wantedObjects(
    fences: readonly Fence[],
    limit: number,
    feed?: Feed,
  ): Promise<WantedObjects | undefined | 'superseded'>;
  /** They were asked for, and what came of it is applied. */
  objectsPicked(fences: readonly Fence[], wanted: WantedObjects): Promise<'superseded' | void>;
  /** The feed's links are dead: the round becomes a full one, from the start, beside the mirror. */
  restartAsFull(fences: readonly Fence[]): Promise<'restarted' | 'superseded'>;
  /**
   * A delta round goes on without a feed that Graph refuses: what it staged is dropped, its deltaLink stays for the next
   * round, and the round, once complete, moves no `asOf`.
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
  relist(groupIds: readonly string[]): Promise<'relisted' | 'stop'>;
  /** Looks at some of the removals that are beyond the tenant's guard, and would be held. */
  confirm(suspects: readonly Suspect[]): Promise<Confirmation>;
}

/** What a fresh read made of the suspects: `stop` leaves all as it stands, for another try. */
export type Confirmation =
  { readonly verdict: 'hold'; readonly sample?: Sample | undefined } | { readonly verdict: 'stop' };

// ---- reconcile: the mirror against a fresh read ----------------------------------------------------------

export interface ReconcileFence {
  readonly tenantNo: number;
  readonly epoch: number;
}

export type OpenReconcile =
  /** Graph's own counts are to be compared. */
  | { readonly step: 'count'; readonly fence: ReconcileFence; readonly chosen: Chosen }
  | {
      readonly step: 'compare';
      readonly fence: ReconcileFence;
      readonly chosen: Chosen;
      readonly feeds: Readonly<Record<Feed, { readonly done: boolean; readonly link: string | undefined }>>;
    };

/** The last reconcile of a tenant, or the running one. Times are ISO 8601. */
export interface ReconcileStatus {
  readonly comparing: boolean;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly dueAt: string;
  /** Objects and memberships. */
  readonly compared: number;
  /** Objects of which it said something else than the mirror. */
  readonly suspected: number;
  /** Of those, how many wait for their second look. */
  readonly waiting: number;
  /** Differences that a second look confirmed: what delta query was silent about. */
  readonly drift: number;
  readonly driftByKind: Drift;
}

export interface ReconcileStore {
  /** Raises its fence, and begins or goes on where something is due. */
  open(tenantNo: number): Promise<OpenReconcile | 'nothing_due'>;
  /** Holds a page of a fresh initial round against the mirror, of which it writes nothing. `faulty` as of a round's page. */
  comparePage(
    fence: ReconcileFence,
    feed: Feed,
    page: DeltaPage & Skipping,
  ): Promise<'compared' | 'faulty' | 'superseded'>;
  /** After both feeds. */
  finish(fence: ReconcileFence): Promise<{ readonly compared: number; readonly suspected: number } | 'superseded'>;
  /** Its links are dead, or Microsoft refuses: it begins anew, after so many milliseconds. */
  startOver(fence: ReconcileFence, inMs: number): Promise<void>;
  /** Graph's counts, held against the mirror's: a suspicion where they differ twice in a row, and not as is known of them. */
  counted(fence: ReconcileFence, counts: Readonly<Record<Feed, number>>): Promise<void>;
  /** It is wanted now. */
  ask(tenantNo: number): Promise<void>;
  /** Undefined before the first full round is complete. */
  status(tenantNo: number): Promise<ReconcileStatus | undefined>;
  /** What the last reconciles of all tenants confirmed. */
  driftOfAll(): Promise<readonly DriftCount[]>;
}

// ---- removals that wait for a person -------------------------------------------------------------------

export const HELD_KINDS = ['users', 'groups', 'memberships', 'disables'] as const;
export type HeldKind = (typeof HELD_KINDS)[number];

export interface HeldSummary {
  readonly since: string;
  readonly exceeded: readonly Guarded[];
  /** What a fresh read of some entries showed, where there was one. */
  readonly sample: Sample | null;
  /** What an approval would take away now, memberships of the objects that go included. */
  readonly counts: Readonly<Record<HeldKind, number>>;
}

export interface HeldRow {
  /** For a membership `groupId:memberId`. */
  readonly id: string;
  /** Of the object; of a membership those of its group. */
  readonly data: Attributes | null;
  readonly reason: RemovalReason | 'scope' | 'disabled' | 'left' | 'group_removed' | 'member_removed';
}

export interface HeldStore {
  /** Undefined where nothing is held. */
  summary(tenantNo: number): Promise<HeldSummary | undefined>;
  list(tenantNo: number, kind: HeldKind, after: string | undefined, limit: number): Promise<Page<HeldRow>>;
  /** Applies what was approved with its events, in batches; may be repeated. Returns since when something is held still. */
  approve(tenantNo: number, heartbeat: () => void): Promise<string | undefined>;
  reject(tenantNo: number): Promise<void>;
}

// ---- change notifications -------------------------------------------------------------------------------

export type SubscribedResource = 'users' | 'groups';

export interface SubscriptionRow {
  readonly resource: SubscribedResource;
  /** Graph's id of it. */
  readonly id: string;
  readonly expiresAt: Date;
}

/** What a notification must be held against. */
export interface KnownSubscription {
  readonly id: string;
  readonly tenantNo: number;
  readonly tenantId: string;
  readonly entraTenantId: string;
  readonly clientStateHash: Uint8Array;
}

export interface SubscriptionStore {
  of(tenantNo: number): Promise<readonly SubscriptionRow[]>;
  /** False where the tenant is gone. */
  put(tenantNo: number, row: SubscriptionRow & { readonly clientStateHash: Uint8Array }): Promise<boolean>;
  renewed(tenantNo: number, resource: SubscribedResource, expiresAt: Date): Promise<void>;
  drop(tenantNo: number, resource: SubscribedResource): Promise<void>;
  /** How looking after them went so far; `failingSince` in ISO 8601. */
  keeping(tenantNo: number): Promise<SubscriptionKeeping>;
  /** Says when to look after them next; null: there are none. */
  kept(tenantNo: number, result: SubscriptionKeeping & { readonly keepAt: Date | null }): Promise<void>;
  /** Of these ids those that are subscriptions of live tenants. */
  known(ids: readonly string[]): Promise<readonly KnownSubscription[]>;
  /**
   * These tenants have news. Returns those of which no hint is on its way yet: their workflows are to be told.
   * `keepNow`: their subscriptions are to be looked after with the next round.
   */
  hint(tenantNos: readonly number[], also: { readonly keepNow: boolean }): Promise<readonly number[]>;
}

export interface SubscriptionKeeping {
  readonly baseUrl: string | null;
  readonly failures: number;
  readonly failingSince: string | null;
}

// ---- the mirror, read -----------------------------------------------------------------------------------

export interface ObjectRow {
  readonly id: string;
  readonly data: Attributes;
}

export interface DirectoryStore {
  users(tenantNo: number, after: string | undefined, limit: number): Promise<Page<ObjectRow>>;
  groups(tenantNo: number, after: string | undefined, limit: number): Promise<Page<ObjectRow>>;
  memberships(tenantNo: number, after: string | undefined, limit: number): Promise<Page<Membership>>;
  user(tenantNo: number, id: string): Promise<ObjectRow | undefined>;
  group(tenantNo: number, id: string): Promise<ObjectRow | undefined>;
  /** Groups of a user; transitive through nested groups, guarded against cycles. */
  groupsOf(
    tenantNo: number,
    userId: string,
    transitive: boolean,
    after: string | undefined,
    limit: number,
  ): Promise<Page<ObjectRow>>;
  /** Members of a group with their type; transitive likewise. Data is null for members that are not mirrored. */
  membersOf(
    tenantNo: number,
    groupId: string,
    transitive: boolean,
    after: string | undefined,
    limit: number,
  ): Promise<Page<{ readonly id: string; readonly memberType: MemberType; readonly data: Attributes | null }>>;
  /** The shortest chain of groups from the user to the group, else undefined: `[group directly joined, …, groupId]`. */
  path(tenantNo: number, userId: string, groupId: string): Promise<readonly string[] | undefined>;
}

// ---- what another scope would mean ---------------------------------------------------------------------

/** Who would be mirrored: by ids of groups (null: all) with members that are not mirrored yet, and of assigned people. */
export interface ScopeTarget {
  readonly guests: boolean;
  readonly disabled: boolean;
  readonly groups: readonly string[] | null;
  readonly members: readonly string[];
  readonly assigned: readonly string[] | null;
}

export interface Some<T> {
  readonly count: number;
  readonly sample: readonly T[];
}

export interface ScopePreviewStore {
  /** Of these groups those that are mirrored, and the groups that are members of them. */
  inside(
    tenantNo: number,
    groups: readonly string[],
  ): Promise<{ readonly mirrored: readonly string[]; readonly members: readonly string[] }>;
  /** Of these ids those that are mirrored. */
  mirrored(
    tenantNo: number,
    ids: Readonly<Record<Feed, readonly string[]>>,
  ): Promise<Readonly<Record<Feed, readonly string[]>>>;
  /** Who is mirrored and would not be. */
  leavers(
    tenantNo: number,
    target: ScopeTarget,
    limit: number,
  ): Promise<{ readonly users: Some<ObjectRow>; readonly groups: Some<ObjectRow> }>;
  /** Ids of people who are not mirrored and may come to be, filters apart. */
  candidates(tenantNo: number, target: ScopeTarget, limit: number): Promise<readonly string[]>;
}

// ---- the feed, read ---------------------------------------------------------------------------------------

export interface FeedStore {
  /** The newest cursor: `epoch-position`. */
  head(): Promise<string>;
  /** Events after the cursor in order; `expired` where retention dropped some, or the database was restored since. */
  read(
    after: string | undefined,
    limit: number,
    tenantNo?: number,
  ): Promise<{ readonly events: readonly FeedEvent[]; readonly cursor: string } | 'expired'>;
}

// ---- retention and erasure --------------------------------------------------------------------------------

export interface RetentionStore {
  /** Drops events, audit entries, taken intents and people who were soft-deleted too long ago, a batch a transaction. */
  sweep(keep?: Retention): Promise<void>;
  /** Erases all that is kept of somebody who is soft-deleted, or not mirrored. `living`: nothing is done. */
  erasePerson(tenantNo: number, userId: string): Promise<'erased' | 'living'>;
}
