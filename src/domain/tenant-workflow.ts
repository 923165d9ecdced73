import type { HeldVerdict, RoundKind } from './activities.ts';
import type { ProblemRecord } from './problem.ts';
import type { Phase } from './tenant.ts';

/** What the tenant's workflow carries from run to run; about two kilobytes, nothing of a person. Times are ms since 1970. */
export interface TenantWorkflowState {
  phase: Phase;
  paused: boolean;
  problem: ProblemRecord | null;
  /** The round that is under way: its id makes a repeated slice find it again. */
  round: { id: string; kind: RoundKind } | null;
  syncNow: boolean;
  resync: boolean;
  deleting: boolean;
  /** Microsoft told of a change that no round has looked for yet. */
  hinted: boolean;
  /** There may be subscriptions at Graph, which must go when the tenant does. */
  subscribed: boolean;
  /** Since when they cannot be kept, ISO 8601. */
  notificationsFailingSince: string | null;
  nextRoundAt: number;
  tokenExpiresAt: number;
  /** Since when a given consent has not been honoured. */
  verifyingSince: number | null;
  /** Since when Microsoft has been saying that there is no consent; a second look decides. */
  refusedSince: number | null;
  /** Permissions that the tenant needs and that are not granted, and since when (ISO 8601). */
  missing: { names: readonly string[]; since: string } | null;
  /** Failures in a row, for the length of the next wait. */
  failures: number;
  lastRound: { completedAt: number; kind: RoundKind; changes: number } | null;
  /** Since when removals wait for a person, ISO 8601. */
  heldSince: string | null;
  /** Since when some of the groups to sync fit no group, or several, ISO 8601; which, the database knows. */
  groupsUnresolvedSince?: string | null;
  /** What a person decided about them, until it is done. */
  heldVerdict: HeldVerdict | null;
  /** The last intents acted on, newest last: a repeated one is ticked again, not done again. */
  seen: string[];
  /** Intents acted on whose rows are not ticked yet. */
  untold: string[];
  /** Sequence of the latest of the contrary intents: pause and resume, consent and revoke. */
  flagSeq: number;
  grantSeq: number;
  heldSeq: number;
}

/** Durations that tests shorten. */
export interface TenantPolicy {
  /** How long a new consent may take to spread before a person is asked. */
  readonly verifyWindowMs: number;
  /** The same where some permissions are there and others not: those of one consent arrive together. */
  readonly partialWindowMs: number;
  /** How far apart two refusals must be to count as a revocation. */
  readonly secondLookMs: number;
  /** How often a directory that took its consent back is asked whether it gave it again, past our link. */
  readonly lookAgainMs: number;
  /** Wait after the first failure; it doubles up to `maxRetryMs`. */
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
  /** How long notifications may fail before it is a problem; the interval carries the tenant meanwhile. */
  readonly notificationsPatienceMs: number;
  /** A token that ends sooner than this is renewed before a round. */
  readonly tokenMarginMs: number;
  /** Rounds after which the run continues as new: keeps what a cache miss must replay short. */
  readonly roundsPerRun: number;
}

export const TENANT_POLICY: TenantPolicy = {
  verifyWindowMs: 15 * 60_000,
  partialWindowMs: 2 * 60_000,
  secondLookMs: 5 * 60_000,
  lookAgainMs: 60 * 60_000,
  minRetryMs: 5_000,
  maxRetryMs: 10 * 60_000,
  notificationsPatienceMs: 15 * 60_000,
  tokenMarginMs: 5 * 60_000,
  roundsPerRun: 32,
};

export interface TenantInput {
  readonly tenantNo: number;
  readonly tenantId: string;
  readonly state: TenantWorkflowState;
  readonly policy?: Partial<TenantPolicy>;
}

/** The state of a workflow that begins, or is rebuilt from what the database remembers. */
export function initialState(remembered: {
  readonly phase: Phase;
  readonly paused: boolean;
  readonly problem: ProblemRecord | null;
  readonly round: { readonly id: string; readonly kind: RoundKind } | null;
  readonly deleting: boolean;
}): TenantWorkflowState {
  return {
    phase: remembered.phase,
    paused: remembered.paused,
    problem: remembered.problem,
    round: remembered.round && { id: remembered.round.id, kind: remembered.round.kind },
    syncNow: false,
    resync: false,
    deleting: remembered.deleting,
    hinted: false,
    subscribed: false,
    notificationsFailingSince: null,
    nextRoundAt: 0,
    tokenExpiresAt: 0,
    verifyingSince: null,
    refusedSince: null,
    missing: null,
    failures: 0,
    lastRound: null,
    heldSince: remembered.problem?.code === 'held' ? remembered.problem.since : null,
    groupsUnresolvedSince: remembered.problem?.code === 'groups_unresolved' ? remembered.problem.since : null,
    heldVerdict: null,
    seen: [],
    untold: [],
    flagSeq: 0,
    grantSeq: 0,
    heldSeq: 0,
  };
}

/** What stands in the way while nothing else does: removals, permissions and groups that fit none or several wait for a person. */
export function standingProblem({
  heldSince,
  missing,
  groupsUnresolvedSince,
}: TenantWorkflowState): ProblemRecord | null {
  if (heldSince !== null) return { code: 'held', since: heldSince };
  if (missing) return { code: 'permissions_missing', since: missing.since, permissions: missing.names };
  return groupsUnresolvedSince ? { code: 'groups_unresolved', since: groupsUnresolvedSince } : null;
}

/** Doubles with every failure in a row. */
export function retryWaitMs(failures: number, policy: TenantPolicy): number {
  return Math.min(policy.maxRetryMs, policy.minRetryMs * 2 ** Math.max(0, failures - 1));
}

/**
 * When the next delta round starts: an interval after the start of the last one, early by up to a tenth so that tenants
 * spread out, never late, so that the interval is a promise.
 */
export function nextRoundAt(startedAt: number, intervalMs: number, random: number): number {
  return startedAt + intervalMs * (1 - 0.1 * random);
}
