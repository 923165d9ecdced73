import type { VerifyOutcome } from '../domain/activities.ts';
import { permissionsOf } from '../domain/permissions.ts';
import { LONGEST_STORED_WAIT_MS } from '../domain/throttle.ts';
import type { ActivityDeps, RunContext } from './deps.ts';
import { graphThrottled, graphUnavailable } from './graph-unavailable.ts';
import { readToken } from './stored-token.ts';

export async function verifyConsent(
  deps: Pick<ActivityDeps, 'store' | 'graph' | 'sealer' | 'clock' | 'log'>,
  { tenantNo }: { readonly tenantNo: number },
  context: RunContext,
): Promise<VerifyOutcome> {
  const token = await readToken(deps, tenantNo);
  // The workflow gets one before each try; without it there is nothing to verify with.
  if (!token) return { verified: false, missing: [] };
  const throttledMs = token.throttledUntil - deps.clock.now();
  // Another worker was asked to wait, for this tenant or for all.
  if (throttledMs > 0) throw graphThrottled(throttledMs);
  const tenant = await deps.store.tenants.byNo(tenantNo);
  const wanted = permissionsOf(tenant?.profiles ?? []);
  const grant = await deps.graph.verifyGrant({ accessToken: token.accessToken, wanted, signal: context.signal });
  if (grant.kind === 'throttled') {
    const { retryAfterMs, scope } = grant;
    if (retryAfterMs !== undefined) {
      const until = deps.clock.now() + Math.min(retryAfterMs, LONGEST_STORED_WAIT_MS);
      await deps.store.sync.throttle(scope === 'application' ? scope : tenantNo, new Date(until));
    }
    throw graphThrottled(retryAfterMs);
  }
  if (grant.kind === 'unavailable') throw graphUnavailable(grant);
  const { missing, requestId } = grant;
  const at = new Date(deps.clock.now()).toISOString();
  await deps.store.tenants.noteGrantCheck(tenantNo, { at, works: grant.kind === 'granted', missing });
  if (grant.kind === 'granted') return { verified: true, missing };
  return { verified: false, missing, ...(requestId === undefined ? {} : { requestId }) };
}
