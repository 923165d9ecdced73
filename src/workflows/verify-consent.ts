import { NOT_BOUND } from '../domain/activities.ts';
import { REQUIRED_PERMISSIONS } from '../domain/names.ts';
import { neededOf } from '../domain/permissions.ts';
import { retryWaitMs } from '../domain/tenant-workflow.ts';
import { failureOf, problemOf } from './failures.ts';
import type { TenantRun } from './tenant-run.ts';

/** A grant needs minutes to reach all of Microsoft: it is tried again and again, and never as rarely as a broken round. */
const LONGEST_WAIT_MS = 60_000;

/** One try to prove that a consent works, and the wait after one that does not. */
export async function verifyConsent(run: TenantRun): Promise<void> {
  const { state, policy } = run;
  state.verifyingSince ??= Date.now();
  const since = state.verifyingSince;
  const late = (partial = false) => Date.now() - since >= (partial ? policy.partialWindowMs : policy.verifyWindowMs);
  try {
    if (await isVerified(run, late)) return;
  } catch (error) {
    const failure = failureOf(error);
    if (failure.type === NOT_BOUND) return run.waitUntil(Infinity, 'Waits for the approval of a consent.');
    state.failures++;
    // What spreads slowly looks like a refusal at first.
    if (failure.type !== 'ConsentMissing') run.raise(problemOf(failure));
    else if (late()) run.raise({ ...problemOf(failure), code: 'consent_not_effective' });
  }
  await run.record();
  const wait = retryWaitMs(state.failures, { ...policy, maxRetryMs: LONGEST_WAIT_MS });
  await run.waitUntil(Date.now() + wait, 'Waits for Microsoft to honour the consent.');
}

async function isVerified(run: TenantRun, late: (partial: boolean) => boolean): Promise<boolean> {
  const { state, tenantNo } = run;
  const token = await run.refreshToken();
  const outcome = await run.interruptible(() => run.graph.verifyConsent({ tenantNo }));
  if (outcome.verified) {
    run.noteMissing(neededOf(outcome.missing));
    run.clearFailures();
    state.verifyingSince = null;
    run.moveBy('consent_verified');
    return true;
  }
  state.failures++;
  if (late(isPartial(outcome.missing))) {
    const permissions = outcome.missing.length > 0 ? outcome.missing : token.missing;
    run.raise(
      permissions.length > 0 ? { code: 'permissions_missing', permissions } : { code: 'consent_not_effective' },
    );
  }
  return false;
}

/** Some of what nothing works without is granted, and some is not. */
function isPartial(missing: readonly string[]): boolean {
  const without = REQUIRED_PERMISSIONS.filter((name) => missing.includes(name)).length;
  return without > 0 && without < REQUIRED_PERMISSIONS.length;
}
