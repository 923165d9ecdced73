import { deleteApiKey } from './routes/delete-api-key.ts';
import { deleteTenant } from './routes/delete-tenant.ts';
import { deleteUserData } from './routes/delete-user-data.ts';
import { getAdminConsent } from './routes/get-admin-consent.ts';
import { getApiKeys } from './routes/get-api-keys.ts';
import { getAsset } from './routes/get-asset.ts';
import { getAudit } from './routes/get-audit.ts';
import { getConnect } from './routes/get-connect.ts';
import { getConnectCheck } from './routes/get-connect-check.ts';
import { getConnectStart } from './routes/get-connect-start.ts';
import { getConnectStatus } from './routes/get-connect-status.ts';
import { getConsentCallback } from './routes/get-consent-callback.ts';
import { getConsentConfirm } from './routes/get-consent-confirm.ts';
import { getDiagnostics } from './routes/get-diagnostics.ts';
import { getEvents } from './routes/get-events.ts';
import { getGroupMembers } from './routes/get-group-members.ts';
import { getGroups } from './routes/get-groups.ts';
import { getHeld } from './routes/get-held.ts';
import { getHealthz } from './routes/get-healthz.ts';
import { getMemberships } from './routes/get-memberships.ts';
import { getMetrics } from './routes/get-metrics.ts';
import { getOpenapi } from './routes/get-openapi.ts';
import { getProblem } from './routes/get-problem.tsx';
import { getReadyz } from './routes/get-readyz.ts';
import { getSignIn } from './routes/get-sign-in.ts';
import { getSignInCallback } from './routes/get-sign-in-callback.ts';
import { getSignOut } from './routes/get-sign-out.ts';
import { getTenant } from './routes/get-tenant.ts';
import { getTenants } from './routes/get-tenants.ts';
import { getUserGroups } from './routes/get-user-groups.ts';
import { getUsers } from './routes/get-users.ts';
import { graphReceiver } from './routes/graph-receiver.ts';
import { patchTenant } from './routes/patch-tenant.ts';
import { postAccessCheck } from './routes/post-access-check.ts';
import { postApiKeys } from './routes/post-api-keys.ts';
import { postApprove } from './routes/post-approve.ts';
import { postConsentConfirm } from './routes/post-consent-confirm.ts';
import { postConsentReject } from './routes/post-consent-reject.ts';
import { postHeldApprove } from './routes/post-held-approve.ts';
import { postHeldReject } from './routes/post-held-reject.ts';
import { postScopePreview } from './routes/post-scope-preview.ts';
import { postPause } from './routes/post-pause.ts';
import { postReconcile } from './routes/post-reconcile.ts';
import { postResume } from './routes/post-resume.ts';
import { postResync } from './routes/post-resync.ts';
import { postRevoke } from './routes/post-revoke.ts';
import { postSignInExchange } from './routes/post-sign-in-exchange.ts';
import { postSync } from './routes/post-sync.ts';
import { postTenants } from './routes/post-tenants.ts';
import { deleteSetupLink, postSetupLink } from './routes/setup-link.ts';
import type { Metrics } from './metrics.ts';
import { openapiOf } from './openapi.ts';
import type { Route } from './route.ts';

/** Every route, in the order in which the document tells them. */
export function createRoutes(metrics: Metrics, publicUrl: string): readonly Route[] {
  let document: Record<string, unknown> | undefined;
  const routes: readonly Route[] = [
    postTenants,
    getTenants,
    getTenant,
    patchTenant,
    deleteTenant,
    postSync,
    postResync,
    postReconcile,
    postPause,
    postResume,
    postRevoke,
    postApprove,
    postSetupLink,
    deleteSetupLink,
    getHeld,
    postHeldApprove,
    postHeldReject,
    postScopePreview,
    getDiagnostics,
    getUsers,
    getGroups,
    getMemberships,
    getUserGroups,
    deleteUserData,
    getGroupMembers,
    postAccessCheck,
    postSignInExchange,
    getEvents,
    postApiKeys,
    getApiKeys,
    deleteApiKey,
    getAudit,
    getConnect,
    getConnectStart,
    getConnectStatus,
    getConnectCheck,
    getAdminConsent,
    getConsentCallback(metrics),
    getConsentConfirm,
    postConsentConfirm,
    postConsentReject,
    // Before the next: `callback` is an id as well.
    getSignInCallback(metrics),
    getSignIn,
    getSignOut,
    graphReceiver(metrics, 'notifications'),
    graphReceiver(metrics, 'lifecycle'),
    getAsset,
    getHealthz,
    getReadyz,
    getMetrics(metrics),
    getProblem,
    getOpenapi(() => (document ??= openapiOf(routes, publicUrl))),
  ];
  return routes;
}
