/**
 * A tenant is one environment of the product, connected (or about to be) to one Entra directory.
 * Its life is a table: every phase says what every event does to it, so that a new phase or event
 * does not compile until each cell is decided.
 */

export const PHASES = ['awaiting_consent', 'consented', 'syncing', 'delta_sync', 'revoked'] as const;
export type Phase = (typeof PHASES)[number];

export const PHASE_EVENTS = [
  'consent_granted', // an administrator's consent was proven for one directory
  'consent_verified', // a token of that directory carries the roles, and Graph accepts it
  'full_sync_needed', // a delta link expired, the query changed, or an operator asked
  'round_completed', // every feed of the round reached its deltaLink and its removals are applied
  'consent_lost', // revoked by the product, or Microsoft refuses us and a second look agrees
] as const;
export type PhaseEvent = (typeof PHASE_EVENTS)[number];

const TRANSITIONS: Readonly<Record<Phase, Readonly<Record<PhaseEvent, Phase>>>> = {
  awaiting_consent: {
    consent_granted: 'consented',
    consent_verified: 'awaiting_consent',
    full_sync_needed: 'awaiting_consent',
    round_completed: 'awaiting_consent',
    consent_lost: 'revoked',
  },
  consented: {
    consent_granted: 'consented',
    consent_verified: 'syncing',
    full_sync_needed: 'consented',
    round_completed: 'consented',
    consent_lost: 'revoked',
  },
  syncing: {
    consent_granted: 'syncing',
    consent_verified: 'syncing',
    full_sync_needed: 'syncing',
    round_completed: 'delta_sync',
    consent_lost: 'revoked',
  },
  delta_sync: {
    consent_granted: 'delta_sync',
    consent_verified: 'delta_sync',
    full_sync_needed: 'syncing',
    round_completed: 'delta_sync',
    consent_lost: 'revoked',
  },
  revoked: {
    consent_granted: 'consented',
    consent_verified: 'revoked',
    full_sync_needed: 'revoked',
    round_completed: 'revoked',
    consent_lost: 'revoked',
  },
};

/** The phase after an event; the same phase where the event does not concern it. */
export function nextPhase(phase: Phase, event: PhaseEvent): Phase {
  return TRANSITIONS[phase][event];
}

export type TenantState = Phase | 'paused' | 'attention';

/** What an operator sees in one word: revoked, else paused, else attention if something waits for a person, else the phase. */
export function tenantState(tenant: {
  readonly phase: Phase;
  readonly paused: boolean;
  readonly problem: { readonly blocking: boolean } | null;
}): TenantState {
  if (tenant.phase === 'revoked') return 'revoked';
  if (tenant.paused) return 'paused';
  return tenant.problem?.blocking ? 'attention' : tenant.phase;
}

/** Phases in which Graph may be read for the mirror; the store refuses a slice in any other. */
export function mayFetch(phase: Phase): boolean {
  return phase === 'syncing' || phase === 'delta_sync';
}
