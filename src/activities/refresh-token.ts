import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { NOT_BOUND, type RefusalDetails, type TokenReport } from '../domain/activities.ts';
import { missingOf, neededOf, permissionsOf } from '../domain/permissions.ts';
import type { TokenRefusal } from '../graph/token-failures.ts';
import type { ActivityDeps, RunContext } from './deps.ts';
import { storeToken } from './stored-token.ts';

export async function refreshToken(
  deps: Pick<ActivityDeps, 'store' | 'graph' | 'sealer' | 'log'>,
  { tenantNo }: { readonly tenantNo: number },
  context: RunContext,
): Promise<TokenReport> {
  const tenant = await deps.store.tenants.byNo(tenantNo);
  if (!tenant?.entraTenantId) {
    throw ApplicationFailure.nonRetryable('No directory is bound to this tenant yet', NOT_BOUND);
  }
  const token = await deps.graph.tokenFor(tenant.entraTenantId, context.signal);
  if (token.kind === 'refused') {
    const { failure, aadsts, requestId, note } = token;
    deps.log.warn({ tenantNo, failure, aadsts, requestId, note }, 'Microsoft gave no token');
    throw tokenFailure(token);
  }
  if (token.secondCredential) {
    deps.log.warn({ tenantNo }, 'Microsoft refuses the first credential of the application; the second one was used');
  }
  await storeToken(deps, tenantNo, token);
  const { expiresAt, roles } = token;
  // A removed permission fails no request for a token: it is only missing in it.
  return { expiresAt, missing: roles === undefined ? [] : neededOf(missingOf(roles, permissionsOf(tenant.profiles))) };
}

function tokenFailure({ failure, aadsts, requestId, retryAfterMs }: TokenRefusal): ApplicationFailure {
  const details: RefusalDetails = {
    ...(aadsts === undefined ? {} : { aadsts }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  const transient = failure === 'TokenEndpointUnavailable';
  return ApplicationFailure.create({
    type: failure,
    message: aadsts === undefined ? 'Microsoft gave no token' : `Microsoft gave no token: AADSTS${aadsts}`,
    nonRetryable: !transient,
    details: [details],
    ...(transient ? { category: ApplicationFailureCategory.BENIGN } : {}),
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
}
