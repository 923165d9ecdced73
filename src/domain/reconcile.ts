import type { NewEvent } from './event.ts';

/** When the mirror is held against a fresh read of the whole directory, and what that may find. Durations in milliseconds. */

const DAY_MS = 24 * 60 * 60_000;

/** Delta query may be silent about a change, and nothing but a fresh read finds out. */
export const RECONCILE_EVERY_MS = 7 * DAY_MS;

/** How often Graph's own counts of users and groups are asked for; differing twice in a row, they are a suspicion. */
export const COUNT_EVERY_MS = 60 * 60_000;
export const STRIKES_TO_RECONCILE = 2;

/** Graph's counts may be wrong, and change: where the last reconcile found nothing they lead to no other one before this. */
export const SUSPICION_EVERY_MS = DAY_MS;

/** A read may be older than the feed: what it says counts only if a later look says so too. */
export const SUSPECT_LOOK_AFTER_MS = 5 * 60_000;

/** After Microsoft refused to answer. */
export const RECONCILE_RETRY_MS = DAY_MS;

export const DRIFT_KINDS = ['user', 'group', 'membership'] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

/** How the mirror was not as the directory is, and no delta told so: it had it not, it had it still, or had other attributes. */
export const DIFFERENCES = ['missing', 'extra', 'different'] as const;
export type Difference = (typeof DIFFERENCES)[number];

export type Drift = Readonly<Record<DriftKind, Readonly<Record<Difference, number>>>>;

export interface DriftCount {
  readonly kind: DriftKind;
  readonly difference: Difference;
  readonly count: number;
}

/** What a second look tells, counted by what the mirror lacked; what it takes away is counted where it is staged. */
export function driftOf(events: readonly NewEvent[]): readonly DriftCount[] {
  return events.flatMap(({ type, subject: { kind } }) => {
    if (kind !== 'user' && kind !== 'group' && kind !== 'membership') return [];
    const difference = type.endsWith('.updated') ? ('different' as const) : ('missing' as const);
    return [{ kind, difference, count: 1 }];
  });
}

export function sumOfDrift(counts: readonly DriftCount[]): Drift {
  const sum = (kind: DriftKind, difference: Difference) =>
    counts.reduce((n, one) => (one.kind === kind && one.difference === difference ? n + one.count : n), 0);
  const of = (kind: DriftKind) => ({
    missing: sum(kind, 'missing'),
    extra: sum(kind, 'extra'),
    different: sum(kind, 'different'),
  });
  return { user: of('user'), group: of('group'), membership: of('membership') };
}
