import type { RoundKind, TenantRecord } from '../../domain/activities.ts';
import type { Guard, GuardSettings } from '../../domain/guard.ts';
import type { GrantCheck, Profile } from '../../domain/permissions.ts';
import type { ProblemRecord } from '../../domain/problem.ts';
import type { Scope, ScopeGroup, ScopeSettings } from '../../domain/scope.ts';
import type { SignIn, SignInSettings } from '../../domain/sign-in.ts';
import type { Phase, TenantState } from '../../domain/tenant.ts';
import type { Intent } from './intents.ts';
import type { ReconcileStatus } from './reconcile.ts';

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
  /** The name that a number stands for, also when its tenant is gone; it never changes. Undefined: never given here. */
  nameOf(no: number): Promise<string | undefined>;
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
