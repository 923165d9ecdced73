import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { INTENT_KINDS, type IntentKind, type IntentMessage } from '../../src/domain/intent.ts';
import { applyIntent } from '../../src/domain/intent-effect.ts';
import { initialState, nextRoundAt, retryWaitMs, TENANT_POLICY } from '../../src/domain/tenant-workflow.ts';

const fresh = () => initialState({ phase: 'delta_sync', paused: false, problem: null, round: null, deleting: false });
const message = (seq: number): IntentMessage => ({ tenantNo: 1, intentId: `intent-${seq}`, seq });

test('an intent that comes twice acts once and is ticked twice', () => {
  const state = fresh();
  expect(applyIntent(state, 'pause', message(1))).toBe(true);
  state.paused = false;
  expect(applyIntent(state, 'pause', message(1))).toBe(false);
  expect(state.paused).toBe(false);
  expect(state.untold).toEqual(['intent-1', 'intent-1']);
});

test('a consent that arrives after a later revocation changes nothing', () => {
  const state = fresh();
  applyIntent(state, 'revoke', message(6));
  applyIntent(state, 'consent', message(5));
  expect(state.phase).toBe('revoked');
});

test('whatever the order of arrival, the later-made of pause and resume holds', () => {
  const kinds = fc.array(fc.constantFrom<IntentKind>('pause', 'resume'), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(kinds, fc.infiniteStream(fc.nat()), (wishes, order) => {
      const arrivals = wishes
        .map((kind, index) => ({ kind, seq: index + 1, rank: order.next().value ?? 0 }))
        .sort((a, b) => a.rank - b.rank);
      const state = fresh();
      for (const { kind, seq } of arrivals) applyIntent(state, kind, message(seq));
      expect(state.paused).toBe(wishes.at(-1) === 'pause');
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('of approving and rejecting what is held the later-made wish holds, whichever arrives last', () => {
  const state = fresh();
  expect(applyIntent(state, 'reject_held', message(2))).toBe(true);
  expect(applyIntent(state, 'approve_held', message(1))).toBe(false);
  expect(state.heldVerdict).toBe('reject');
  expect(applyIntent(state, 'reject_held', message(2))).toBe(false);
});

test('every kind of intent is ticked', () => {
  for (const kind of INTENT_KINDS) {
    const state = fresh();
    applyIntent(state, kind, message(1));
    expect(state.untold).toEqual(['intent-1']);
  }
});

test('the next round never starts later than an interval after the last, and at most a tenth earlier', () => {
  fc.assert(
    fc.property(
      fc.nat(1_000_000),
      fc.integer({ min: 1_000, max: 86_400_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (start, interval, random) => {
        const at = nextRoundAt(start, interval, random);
        expect(at).toBeLessThanOrEqual(start + interval);
        expect(at).toBeGreaterThanOrEqual(start + interval * 0.9 - 1);
      },
    ),
    { seed: 1 },
  );
});

test('waits between failures double up to a ceiling', () => {
  expect(retryWaitMs(1, TENANT_POLICY)).toBe(5_000);
  expect(retryWaitMs(3, TENANT_POLICY)).toBe(20_000);
  expect(retryWaitMs(50, TENANT_POLICY)).toBe(TENANT_POLICY.maxRetryMs);
});
