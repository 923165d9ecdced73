import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { type HeldVerdict, NOT_BOUND, type SliceOutcome } from '../domain/activities.ts';
import { INTENT_KINDS } from '../domain/intent.ts';
import { applyIntent, requestRound, revoke, setPaused, takeHint } from '../domain/intent-effect.ts';
import { isBlocking, type ProblemRecord } from '../domain/problem.ts';
import { nextPhase, type PhaseEvent } from '../domain/tenant.ts';
import {
  nextRoundAt,
  retryWaitMs,
  standingProblem,
  TENANT_POLICY,
  type TenantInput,
} from '../domain/tenant-workflow.ts';
import { graphActivities, ownActivities } from './activities.ts';
import { isRefusal, problemOf, type Failure, failureOf } from './failures.ts';
import { hint, intentSignal, pause, resume, resync, status, syncNow } from './messages.ts';
import { createPresentation, iso } from './presentation.ts';
import { createSubscriptionKeeper, notificationsProblem } from './subscriptions.ts';

/** Why a piece of work was cut short: something happened that the main loop must look at first. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * The life of one tenant: consent, first sync, delta rounds, revocation, until it is deleted. It decides and waits;
 * activities do the work, and the database remembers. Handlers only change state and wake the loop.
 */
export async function tenantWorkflow(input: TenantInput): Promise<'deleted'> {
  const { tenantNo, state } = input;
  const policy = { ...TENANT_POLICY, ...input.policy };
  const own = ownActivities();
  const graph = graphActivities(tenantNo);
  const show = createPresentation();
  const root = CancellationScope.current();
  let work: CancellationScope | undefined;
  let news = 0;
  let looked = 0;
  let recorded = '';
  let rounds = 0;

  const halted = () => state.paused || state.deleting || state.phase === 'revoked';
  const full = () =>
    !subscriptions.busy() &&
    (rounds >= policy.roundsPerRun || workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > 1_000);
  const wake = () => {
    news++;
    if (halted()) work?.cancel();
  };

  for (const kind of INTENT_KINDS) {
    setHandler(intentSignal(kind), (message) => {
      // Another life of the same name: its messages are not ours.
      if (message.tenantNo !== tenantNo) return;
      applyIntent(state, kind, message);
      wake();
    });
  }
  setHandler(hint, (message) => {
    if (message.tenantNo === tenantNo && takeHint(state)) wake();
  });
  const subscriptions = createSubscriptionKeeper(state, () => graph.keepSubscriptions({ tenantNo }), wake);
  const operatorUpdate = (change: () => void) => () => {
    change();
    wake();
    return state;
  };
  setHandler(
    pause,
    operatorUpdate(() => setPaused(state, true)),
    { description: 'Stop fetching; the mirror stays.' },
  );
  setHandler(
    resume,
    operatorUpdate(() => setPaused(state, false)),
    { description: 'Go on where it stood.' },
  );
  setHandler(
    syncNow,
    operatorUpdate(() => requestRound(state, false)),
    { description: 'A delta round now.' },
  );
  setHandler(
    resync,
    operatorUpdate(() => requestRound(state, true)),
    { description: 'A full round now.' },
  );
  setHandler(status, () => state);

  /** Waits until the time comes, or until a message comes that the loop has not looked at. */
  const waitUntil = async (at: number, doing: string) => {
    show(state, doing);
    if (at === Infinity) await condition(() => news !== looked);
    else if (at > Date.now()) await condition(() => news !== looked, at - Date.now());
    looked = news;
  };

  /** Runs Graph work in a scope of its own, which a pause, a revocation or a deletion cuts short. */
  const interruptible = async <T>(task: () => Promise<T>): Promise<T> => {
    if (halted()) throw new Interrupted();
    work = new CancellationScope();
    try {
      return await work.run(task);
    } catch (error) {
      if (isCancellation(error) && !root.consideredCancelled) throw new Interrupted();
      throw error;
    } finally {
      work = undefined;
    }
  };

  /** Makes the database say what we decided, before the work of the decision begins; only if there is something new. */
  const record = async () => {
    const decided = { phase: state.phase, paused: state.paused, problem: state.problem };
    const key = JSON.stringify(decided);
    if (key === recorded && state.untold.length === 0) return;
    const taken = state.untold.splice(0);
    await own.recordState({ tenantNo, ...decided, taken });
    recorded = key;
  };

  const moveBy = (event: PhaseEvent) => {
    state.phase = nextPhase(state.phase, event);
  };
  const raise = (problem: Omit<ProblemRecord, 'since'>) => {
    // What passes by itself does not hide that a person must decide.
    if (state.heldSince !== null && !isBlocking(problem.code)) return;
    const since = state.problem?.code === problem.code ? state.problem.since : iso(Date.now());
    state.problem = { ...problem, since };
  };
  const clearFailures = () => {
    state.failures = 0;
    state.refusedSince = null;
    state.problem = standingProblem(state) ?? notificationsProblem(state, policy, Date.now());
  };

  /** A failed step: says what stands in the way, and sets when it is tried again. */
  const fail = (failure: Failure) => {
    state.failures++;
    state.nextRoundAt = Date.now() + retryWaitMs(state.failures, policy);
    raise(problemOf(failure));
    if (failure.type !== 'ConsentMissing') return;
    // Once it can be Microsoft's replication; a second time, later, it is a revocation.
    state.refusedSince ??= Date.now();
    if (state.phase !== 'consented' && Date.now() - state.refusedSince >= policy.secondLookMs) {
      const { problem } = state;
      revoke(state);
      state.problem = problem;
    }
  };

  const refreshToken = async () => {
    const report = await interruptible(() => graph.refreshToken({ tenantNo }));
    state.tokenExpiresAt = report.expiresAt;
    return report;
  };

  const verifyConsent = async () => {
    state.verifyingSince ??= Date.now();
    const late = () => Date.now() - (state.verifyingSince ?? Date.now()) >= policy.verifyWindowMs;
    try {
      const token = await refreshToken();
      const outcome = await interruptible(() => graph.verifyConsent({ tenantNo }));
      if (outcome.verified) {
        clearFailures();
        state.verifyingSince = null;
        moveBy('consent_verified');
        return;
      }
      state.failures++;
      if (late()) {
        const missing = outcome.missing.length > 0 ? outcome.missing : token.missing;
        raise(
          missing.length > 0
            ? { code: 'permissions_missing', permissions: missing }
            : { code: 'consent_not_effective' },
        );
      }
    } catch (error) {
      const failure = failureOf(error);
      if (failure.type === NOT_BOUND) return waitUntil(Infinity, 'Waits for the approval of a consent.');
      state.failures++;
      // What spreads slowly looks like a refusal at first.
      if (!isRefusal(failure)) raise(problemOf(failure));
      else if (late()) raise({ ...problemOf(failure), code: 'consent_not_effective' });
    }
    await record();
    await waitUntil(
      Date.now() + retryWaitMs(state.failures, { ...policy, maxRetryMs: 60_000 }),
      'Waits for Microsoft to honour the consent.',
    );
  };

  /** One round, slice by slice, to its end. */
  const runRound = async () => {
    if (!state.round) {
      state.round = { id: uuid4(), kind: state.resync ? 'full' : 'delta' };
      state.resync = false;
      state.syncNow = false;
      state.hinted = false;
    }
    const { round } = state;
    const startedAt = Date.now();
    let tokenTries = 0;
    for (;;) {
      if (round.kind === 'full' && state.phase === 'delta_sync') moveBy('full_sync_needed');
      await record();
      if (state.tokenExpiresAt - Date.now() < policy.tokenMarginMs) await refreshToken();
      show(state, `Runs a ${round.kind} round.`);
      const slice: SliceOutcome = await interruptible(() =>
        graph.syncSlice({ tenantNo, roundId: round.id, kind: round.kind }),
      );
      round.kind = slice.kind;
      switch (slice.outcome) {
        case 'completed':
          rounds++;
          state.round = null;
          state.tokenExpiresAt = slice.tokenExpiresAt;
          state.lastRound = { completedAt: Date.now(), kind: slice.kind, changes: slice.changes };
          state.nextRoundAt = nextRoundAt(startedAt, slice.nextInMs, Math.random());
          state.heldSince = slice.heldSince ?? null;
          clearFailures();
          moveBy('round_completed');
          if (slice.subscriptionsDue) subscriptions.tend();
          return;
        case 'unfinished':
          tokenTries = 0;
          state.tokenExpiresAt = slice.tokenExpiresAt;
          break;
        case 'throttled': {
          const until = Date.now() + slice.retryAfterMs;
          if (slice.retryAfterMs >= 60_000) raise({ code: 'throttled' });
          await record();
          while (Date.now() < until && !halted())
            await waitUntil(until, `Microsoft asks us to wait until ${iso(until)}.`);
          break;
        }
        case 'token_needed':
          // A fresh token that Graph refuses at once again is no matter of age.
          if (++tokenTries > 2) return fail({ type: 'TokenRejected' });
          state.tokenExpiresAt = 0;
          break;
        case 'forbidden': {
          const { missing } = await refreshToken();
          return fail({
            type: 'Forbidden',
            missing,
            ...(slice.requestId === undefined ? {} : { requestId: slice.requestId }),
          });
        }
        case 'superseded':
          await waitUntil(Date.now() + policy.minRetryMs, 'Another worker took over; looks again.');
          break;
      }
      if (full() || state.heldVerdict) return;
    }
  };

  /** Does what a person decided about held removals. Between two slices, so that nothing else writes meanwhile. */
  const settleHeld = async (verdict: HeldVerdict) => {
    state.heldVerdict = null;
    show(state, verdict === 'approve' ? 'Applies approved removals.' : 'Drops rejected removals.');
    const { heldSince } = await own.settleHeld({ tenantNo, verdict });
    state.heldSince = heldSince;
    if (state.problem === null || state.problem.code === 'held') state.problem = standingProblem(state);
    if (verdict === 'reject') requestRound(state, true);
  };

  const followDirectory = async () => {
    // A round under way or asked for starts at once, unless the last try failed: then its wait holds.
    const wanted = state.round !== null || state.syncNow || state.resync || state.hinted;
    const at = wanted && state.failures === 0 ? 0 : state.nextRoundAt;
    if (Date.now() < at) return waitUntil(at, `The next round starts ${iso(at)}.`);
    try {
      await runRound();
    } catch (error) {
      fail(failureOf(error));
    }
  };

  const step = async () => {
    if (state.paused) return waitUntil(Infinity, 'Paused by a person; the mirror stays as it is.');
    switch (state.phase) {
      case 'awaiting_consent':
        return waitUntil(Infinity, 'Waits for an administrator of the customer to consent.');
      case 'consented':
        return verifyConsent();
      case 'syncing':
      case 'delta_sync':
        return followDirectory();
      case 'revoked':
        // Nobody is to be told of a directory that is none of ours.
        if (state.subscribed) subscriptions.tend();
        return waitUntil(Infinity, 'Consent is withdrawn; the mirror stays until the tenant is deleted.');
    }
  };

  for (;;) {
    if (state.deleting) {
      show(state, 'Is being deleted.');
      await subscriptions.end();
      await own.purgeTenant({ tenantNo });
      return 'deleted';
    }
    looked = news;
    await record();
    // What came while we wrote is written first: work begins only on what the database knows.
    if (news !== looked) continue;
    if (state.heldVerdict) {
      await settleHeld(state.heldVerdict);
      continue;
    }
    if (full()) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof tenantWorkflow>(input);
    }
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }
}
