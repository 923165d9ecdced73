import type { RoundKind } from './activities.ts';

/** What a guard counts. An account that is switched off counts as a user: its owner is locked out all the same. */
export const GUARDED = ['users', 'groups', 'memberships'] as const;
export type Guarded = (typeof GUARDED)[number];

/** Both must be exceeded: a few people more than usual are no disaster, nor is half of a tenant of three. */
export interface Threshold {
  readonly count: number;
  readonly percent: number;
}

export type Guard = Readonly<Record<Guarded, Threshold>>;
export type GuardSettings = Readonly<Partial<Record<Guarded, Threshold>>>;

const DEFAULT_GUARD: Guard = {
  users: { count: 20, percent: 10 },
  groups: { count: 20, percent: 10 },
  memberships: { count: 100, percent: 20 },
};

/** A tenant's thresholds: its own where it has some. */
export function guardOf(settings: GuardSettings): Guard {
  return { ...DEFAULT_GUARD, ...settings };
}

/** Of the kinds that are counted, those of which more would go at once than the guard lets pass. */
export function exceeded(
  guard: Guard,
  going: Readonly<Record<Guarded, number>>,
  visible: Readonly<Record<Guarded, number>>,
): readonly Guarded[] {
  return GUARDED.filter((kind) => {
    const { count, percent } = guard[kind];
    return going[kind] > count && going[kind] * 100 > percent * visible[kind];
  });
}

/** Something of which the feed says that it is over, looked at afresh before that is believed. */
export type Suspect =
  | { readonly kind: 'user' | 'group' | 'disable'; readonly id: string }
  | { readonly kind: 'membership'; readonly groupId: string; readonly memberId: string };

/** What a fresh read of some of the suspects came to. */
export interface Sample {
  readonly read: number;
  readonly stillThere: number;
}

/**
 * A delta feed that a fresh read contradicts is not believed: everything is read again beside the mirror, and what the full
 * round does not see either is held. A read may be older than the feed, so it never takes an entry out by itself.
 */
export function verdictOn(kind: RoundKind, sample: Sample): 'hold' | 'read_again' {
  return kind === 'delta' && sample.stillThere > 0 ? 'read_again' : 'hold';
}
