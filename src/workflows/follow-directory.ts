import { uuid4 } from '@temporalio/workflow';
import type { HeldVerdict, RoundKind, SetAside, SliceOutcome } from '../domain/activities.ts';
import { requestRound } from '../domain/intent-effect.ts';
import type { ProblemRecord } from '../domain/problem.ts';
import { nextRoundAt, standingProblem } from '../domain/tenant-workflow.ts';
import { failureOf, problemOf } from './failures.ts';
import { iso } from './presentation.ts';
import type { TenantRun } from './tenant-run.ts';

/** A wait that a person at the list of tenants should know the reason of. */
const LONG_WAIT_MS = 60_000;
const TOKEN_TRIES = 2;

/** Waits for the next round, or runs it. */
export async function followDirectory(run: TenantRun): Promise<void> {
  const { state } = run;
  // A round under way or asked for starts at once, unless the last try failed: then its wait holds.
  const wanted = state.round !== null || state.syncNow || state.resync || state.hinted;
  const at = wanted && state.failures === 0 ? 0 : state.nextRoundAt;
  if (Date.now() < at) return run.waitUntil(at, `The next round starts ${iso(at)}.`);
  try {
    await runRound(run);
  } catch (error) {
    run.fail(failureOf(error));
  }
}

/** One round, slice by slice, to its end or to what must happen first. */
async function runRound(run: TenantRun): Promise<void> {
  const { state, policy, tenantNo } = run;
  const round = beginRound(run);
  const startedAt = Date.now();
  let tokenTries = 0;
  for (;;) {
    if (round.kind === 'full' && state.phase === 'delta_sync') run.moveBy('full_sync_needed');
    await run.record();
    if (state.tokenExpiresAt - Date.now() < policy.tokenMarginMs) await run.refreshToken();
    run.show(`Runs a ${round.kind} round.`);
    const slice: SliceOutcome = await run.interruptible(() =>
      (round.kind === 'full' ? run.graph.fullSlice : run.graph.syncSlice)({
        tenantNo,
        roundId: round.id,
        kind: round.kind,
      }),
    );
    round.kind = slice.kind;
    switch (slice.outcome) {
      case 'completed':
        return completeRound(run, slice, startedAt, slice.setAside && (await whatIsMissing(run, slice.setAside)));
      case 'unfinished':
        tokenTries = 0;
        run.noteToken(slice.tokenExpiresAt);
        break;
      case 'no_room':
        await run.waitUntil(Date.now() + slice.tryAgainInMs, 'Waits until a worker has room for a full round.');
        break;
      case 'throttled':
        await keepWait(run, slice.retryAfterMs);
        break;
      case 'token_needed':
        // A fresh token that Graph refuses at once again is no matter of age.
        if (++tokenTries > TOKEN_TRIES) return run.fail({ type: 'TokenRejected' });
        state.tokenExpiresAt = 0;
        break;
      case 'forbidden': {
        const { missing } = await run.refreshToken();
        const { outcome: _, kind: __, ...quoted } = slice;
        return run.fail({ type: 'Forbidden', missing, ...quoted });
      }
      case 'superseded':
        await run.waitUntil(Date.now() + policy.minRetryMs, 'Another worker took over; looks again.');
        break;
    }
    if (run.full || state.heldVerdict) return;
  }
}

/** The round under way, or a new one, which takes along every wish for one. */
function beginRound({ state }: TenantRun): { id: string; kind: RoundKind } {
  if (state.round) return state.round;
  state.round = { id: uuid4(), kind: state.resync ? 'full' : 'delta' };
  state.resync = false;
  state.syncNow = false;
  state.hinted = false;
  return state.round;
}

function completeRound(
  run: TenantRun,
  slice: Extract<SliceOutcome, { outcome: 'completed' }>,
  startedAt: number,
  missing?: Omit<ProblemRecord, 'since'>,
): void {
  const { state } = run;
  const before = state.problem;
  run.rounds++;
  state.round = null;
  run.noteToken(slice.tokenExpiresAt);
  state.lastRound = { completedAt: Date.now(), kind: slice.kind, changes: slice.changes };
  state.nextRoundAt = nextRoundAt(startedAt, slice.nextInMs, Math.random());
  state.heldSince = slice.heldSince ?? null;
  state.groupsUnresolvedSince = slice.unresolvedGroups ? (state.groupsUnresolvedSince ?? iso(Date.now())) : null;
  run.clearFailures();
  if (missing) run.raiseSetAside(missing, before);
  run.moveBy('round_completed');
  if (slice.subscriptionsDue) run.subscriptions.tend();
  if (slice.reconcileDue) run.reconciler.tend();
}

/** Why a feed was set aside. A new token shows a permission that was given back; the next round asks again by itself. */
async function whatIsMissing(run: TenantRun, aside: SetAside): Promise<Omit<ProblemRecord, 'since'>> {
  const { missing } = await run.refreshToken();
  return problemOf({ ...aside, type: 'Forbidden', missing });
}

/** As long as Microsoft asks, whatever else is wished meanwhile, but for what ends the work. */
async function keepWait(run: TenantRun, retryAfterMs: number): Promise<void> {
  const until = Date.now() + retryAfterMs;
  if (retryAfterMs >= LONG_WAIT_MS) run.raise({ code: 'throttled' });
  await run.record();
  while (Date.now() < until && !run.halted)
    await run.waitUntil(until, `Microsoft asks us to wait until ${iso(until)}.`);
}

/** Does what a person decided about held removals. Between two slices, so that nothing else writes meanwhile. */
export async function settleHeld(run: TenantRun, verdict: HeldVerdict): Promise<void> {
  const { state, own, tenantNo } = run;
  state.heldVerdict = null;
  run.show(verdict === 'approve' ? 'Applies approved removals.' : 'Drops rejected removals.');
  const { heldSince } = await own.settleHeld({ tenantNo, verdict });
  state.heldSince = heldSince;
  if (state.problem === null || state.problem.code === 'held') state.problem = standingProblem(state);
  if (verdict === 'reject') requestRound(state, true);
}
