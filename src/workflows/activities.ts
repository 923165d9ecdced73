import { proxyActivities, workflowInfo, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { GraphActivities, OwnActivities } from '../domain/activities.ts';
import { graphTaskQueueOf } from '../domain/names.ts';

/** Our own database: retried for ever, because a failure that escaped would end the tenant. */
export function ownActivities(): ActivityInterfaceFor<OwnActivities> {
  const { recordState } = proxyActivities<Pick<OwnActivities, 'recordState'>>({
    startToCloseTimeout: '30s',
    retry: { initialInterval: '1s', maximumInterval: '1m' },
  });
  const { purgeTenant, purgeRevoked } = proxyActivities<Pick<OwnActivities, 'purgeTenant' | 'purgeRevoked'>>({
    startToCloseTimeout: '1h',
    heartbeatTimeout: '1m',
    retry: { initialInterval: '1s', maximumInterval: '1m' },
  });
  const { settleHeld } = proxyActivities<Pick<OwnActivities, 'settleHeld'>>({
    startToCloseTimeout: '1h',
    heartbeatTimeout: '1m',
    retry: { initialInterval: '1s', maximumInterval: '1m' },
  });
  return { recordState, purgeTenant, purgeRevoked, settleHeld };
}

/**
 * Calls to Microsoft, on their own queue, fair between tenants. Short of a budget they would be retried out of sight for
 * ever: when it is used up the tenant's problem says so, and the workflow goes on trying.
 */
export function graphActivities(
  tenantNo: number,
): ActivityInterfaceFor<GraphActivities & { readonly fullSlice: GraphActivities['syncSlice'] }> {
  const common = {
    taskQueue: graphTaskQueueOf(workflowInfo().taskQueue),
    // A slice that still writes must have stopped before a purge begins.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  } as const;
  const fairnessKey = String(tenantNo);
  const { refreshToken, verifyConsent } = proxyActivities<Pick<GraphActivities, 'refreshToken' | 'verifyConsent'>>({
    ...common,
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '10m',
    priority: { priorityKey: 1, fairnessKey },
  });
  const slice = {
    ...common,
    startToCloseTimeout: '2m',
    heartbeatTimeout: '20s',
    scheduleToCloseTimeout: '30m',
  } as const;
  const { syncSlice } = proxyActivities<Pick<GraphActivities, 'syncSlice'>>({
    ...slice,
    priority: { priorityKey: 3, fairnessKey },
  });
  // Where tasks wait, who is nearly up to date goes before who reads everything.
  const { syncSlice: fullSlice } = proxyActivities<Pick<GraphActivities, 'syncSlice'>>({
    ...slice,
    priority: { priorityKey: 4, fairnessKey },
  });
  const { reconcileSlice } = proxyActivities<Pick<GraphActivities, 'reconcileSlice'>>({
    ...common,
    startToCloseTimeout: '2m',
    heartbeatTimeout: '20s',
    scheduleToCloseTimeout: '10m',
    retry: { ...common.retry, maximumAttempts: 2 },
    // Nobody waits for it: rounds go first.
    priority: { priorityKey: 5, fairnessKey },
  });
  const { keepSubscriptions } = proxyActivities<Pick<GraphActivities, 'keepSubscriptions'>>({
    ...common,
    // Graph asks our address, twice for each subscription, before it answers.
    startToCloseTimeout: '3m',
    scheduleToCloseTimeout: '5m',
    retry: { ...common.retry, maximumAttempts: 2 },
    priority: { priorityKey: 2, fairnessKey },
  });
  return { refreshToken, verifyConsent, syncSlice, fullSlice, reconcileSlice, keepSubscriptions };
}
