import { describe, expect, test } from '@jest/globals';
import { nextPhase, PHASE_EVENTS, PHASES, tenantState, type Phase, type PhaseEvent } from '../../src/domain/tenant.ts';

// The table as ARCHITECTURE.md prints it; a dot is "stays".
const TABLE: Readonly<Record<Phase, Readonly<Record<PhaseEvent, Phase | '·'>>>> = {
  awaiting_consent: {
    consent_granted: 'consented',
    consent_verified: '·',
    full_sync_needed: '·',
    round_completed: '·',
    consent_lost: 'revoked',
  },
  consented: {
    consent_granted: '·',
    consent_verified: 'syncing',
    full_sync_needed: '·',
    round_completed: '·',
    consent_lost: 'revoked',
  },
  syncing: {
    consent_granted: '·',
    consent_verified: '·',
    full_sync_needed: '·',
    round_completed: 'delta_sync',
    consent_lost: 'revoked',
  },
  delta_sync: {
    consent_granted: '·',
    consent_verified: '·',
    full_sync_needed: 'syncing',
    round_completed: '·',
    consent_lost: 'revoked',
  },
  revoked: {
    consent_granted: 'consented',
    consent_verified: '·',
    full_sync_needed: '·',
    round_completed: '·',
    consent_lost: '·',
  },
};

describe('the life of a tenant', () => {
  const cells = PHASES.flatMap((phase) => PHASE_EVENTS.map((event) => [phase, event] as const));

  test.each(cells)('%s on %s goes where the architecture says', (phase, event) => {
    const told = TABLE[phase][event];
    expect(nextPhase(phase, event)).toBe(told === '·' ? phase : told);
  });

  test('revoked outranks paused, paused outranks a problem, and only a blocking problem is shown', () => {
    const blocking = { blocking: true };
    expect(tenantState({ phase: 'revoked', paused: true, problem: blocking })).toBe('revoked');
    expect(tenantState({ phase: 'delta_sync', paused: true, problem: blocking })).toBe('paused');
    expect(tenantState({ phase: 'delta_sync', paused: false, problem: blocking })).toBe('attention');
    expect(tenantState({ phase: 'delta_sync', paused: false, problem: { blocking: false } })).toBe('delta_sync');
  });
});
