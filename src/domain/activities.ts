import type { Phase } from './tenant.ts';
import type { Feed } from './directory.ts';
import type { ProblemRecord } from './problem.ts';

/**
 * The activities as workflows see them. All of them take the tenant's internal number, never its name:
 * a name can live twice, a number cannot. Nothing that they take or return is a token, a link or a person's data.
 */

/** On the workflow's own task queue: our database, retried for ever. */
export interface OwnActivities {
  /** Writes what the workflow decided, tells a changed state as an event, and ticks the intents that it took. */
  recordState(input: TenantRecord): Promise<void>;
  /** Applies or drops what the guard holds, and says since when something is held still. */
  settleHeld(input: {
    readonly tenantNo: number;
    readonly verdict: HeldVerdict;
  }): Promise<{ heldSince: string | null }>;
  /**
   * Deletes the mirror and the directory events of a tenant that has been revoked for as long as its data is kept, and tells
   * `tenant.purged`. Says when that is to be, where it is not yet.
   */
  purgeRevoked(input: { readonly tenantNo: number }): Promise<PurgeOutcome>;
  /** Deletes everything of the tenant in steps, tells `tenant.deleted`, and frees the name as its last act. */
  purgeTenant(input: { readonly tenantNo: number }): Promise<void>;
}

/** On the Graph task queue: every call to Microsoft. */
export interface GraphActivities {
  /**
   * Gets an application token for the tenant's directory past every cache and stores it sealed for all workers.
   * Fails with a {@link TokenFailure} type; those of `PERMANENT_TOKEN_FAILURES` are not retried by Temporal.
   */
  refreshToken(input: { readonly tenantNo: number }): Promise<TokenReport>;
  /** Proves with that token that the grant works: service principal, roles, one probe per endpoint. */
  verifyConsent(input: { readonly tenantNo: number }): Promise<VerifyOutcome>;
  /** Works on a round for at most the slice's budget; the database knows how far it came. */
  syncSlice(input: SliceInput): Promise<SliceOutcome>;
  /** A piece of a reconcile, beside the rounds; whatever ends it, the next one goes on. */
  reconcileSlice(input: { readonly tenantNo: number }): Promise<void>;
  /**
   * Makes, renews and replaces the tenant's change notification subscriptions, or deletes them where there are to be none.
   * What Microsoft refuses is an outcome: notifications are a help, and no round waits for them.
   */
  keepSubscriptions(input: { readonly tenantNo: number }): Promise<KeepOutcome>;
}

/** `dueAt` in milliseconds since 1970; null where nothing is left to purge, or the tenant is not revoked any more. */
export interface PurgeOutcome {
  readonly dueAt: number | null;
}

export interface TenantRecord {
  readonly tenantNo: number;
  readonly phase: Phase;
  readonly paused: boolean;
  readonly problem: ProblemRecord | null;
  /** Intents of the API that this workflow has acted on. */
  readonly taken: readonly string[];
}

export interface TokenReport {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Application permissions that the tenant needs and the token does not carry. */
  readonly missing: readonly string[];
}

/** Failure types of `refreshToken`; each names the problem that it leads to. */
export const TOKEN_FAILURES = {
  ConsentMissing: 'consent_missing',
  ApplicationDisabled: 'application_disabled',
  CredentialsRejected: 'credentials_rejected',
  DirectoryNotFound: 'directory_not_found',
  BlockedByPolicy: 'blocked_by_policy',
  TokenRefused: 'token_refused',
  TokenEndpointUnavailable: 'microsoft_unavailable',
} as const;
export type TokenFailure = keyof typeof TOKEN_FAILURES;

/** Failure type of the Graph activities while no directory is bound: a consent waits for approval. */
export const NOT_BOUND = 'NotBound';

/** Details that a failure of Microsoft's carries, as far as it gave them. */
export interface RefusalDetails {
  readonly aadsts?: number;
  /** The code in Graph's error body. */
  readonly graphCode?: string;
  readonly requestId?: string;
}

export type VerifyOutcome =
  | { readonly verified: true; readonly missing: readonly string[] }
  | { readonly verified: false; readonly missing: readonly string[]; readonly requestId?: string };

/** What a person makes of the removals that the guard holds. */
export type HeldVerdict = 'approve' | 'reject';

export type RoundKind = 'full' | 'delta';

export interface SliceInput {
  readonly tenantNo: number;
  /** Given by the workflow: a repeated slice finds its round again instead of starting another. */
  readonly roundId: string;
  readonly kind: RoundKind;
}

export interface KeepOutcome {
  /** `off`: there are none, and there are to be none. */
  readonly kept: 'ok' | 'off' | 'failing';
  /** One began just now: what changed before it was told to nobody. */
  readonly begun: boolean;
  /** ISO 8601. */
  readonly failingSince?: string;
}

export interface SetAside {
  readonly feed: Feed;
  readonly graphCode?: string;
  readonly requestId?: string;
}

export type SliceOutcome =
  /**
   * The round is complete. `nextInMs` is the configured wait until the next, `tokenExpiresAt` in ms since 1970, `heldSince`
   * (ISO 8601) since when removals wait for a person.
   */
  | {
      readonly outcome: 'completed';
      readonly kind: RoundKind;
      readonly changes: number;
      readonly nextInMs: number;
      readonly tokenExpiresAt: number;
      readonly heldSince?: string;
      /** Graph refused this feed: the round is of the other one alone. */
      readonly setAside?: SetAside;
      /** How many of the groups to sync fit no group, or several. */
      readonly unresolvedGroups?: number;
      /** The change notification subscriptions are to be looked after. */
      readonly subscriptionsDue?: boolean;
      /** A piece of a reconcile is to be done. */
      readonly reconcileDue?: boolean;
    }
  /** The budget is used up, or the round had to become a full one: call again. */
  | { readonly outcome: 'unfinished'; readonly kind: RoundKind; readonly tokenExpiresAt: number }
  /** Microsoft said how long to wait, and it is too long to hold a slot. */
  | { readonly outcome: 'throttled'; readonly kind: RoundKind; readonly retryAfterMs: number }
  /** This worker has as many slices of full rounds as it may have: delta rounds go first. */
  | { readonly outcome: 'no_room'; readonly kind: RoundKind; readonly tryAgainInMs: number }
  /** No token, one about to expire, or Graph answered 401. */
  | { readonly outcome: 'token_needed'; readonly kind: RoundKind }
  /** Graph answered 403. */
  | {
      readonly outcome: 'forbidden';
      readonly kind: RoundKind;
      readonly graphCode?: string;
      readonly requestId?: string;
    }
  /** Another slice, a pause, a revocation or a purge has raised the fence: what this one fetched is not written. */
  | { readonly outcome: 'superseded'; readonly kind: RoundKind };
