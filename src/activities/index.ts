import { setTimeout as sleep } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { GraphActivities, OwnActivities } from '../domain/activities.ts';
import { createPatience, type ActivityDeps, type Clock, type RunContext } from './deps.ts';
import { keepSubscriptions } from './keep-subscriptions.ts';
import { purgeRevoked, purgeTenant } from './purge-tenant.ts';
import { recordState } from './record-state.ts';
import { settleHeld } from './settle-held.ts';
import { refreshToken } from './refresh-token.ts';
import { reconcileSlice } from './reconcile-slice.ts';
import { syncSlice } from './sync-slice.ts';
import { verifyConsent } from './verify-consent.ts';

const SLICE_BUDGET_MS = 60_000;

const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    sleep(ms, undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    }),
};

export type ActivitiesOptions = Pick<ActivityDeps, 'store' | 'graph' | 'sealer' | 'log' | 'syncIntervalMs'> &
  Partial<Pick<ActivityDeps, 'clock' | 'sliceBudgetMs' | 'notificationUrl'>> & {
    /** Slices of full rounds at a time in this process. */
    readonly fullSlices?: number;
  };

/** The activities as the workers register them: `own` on the workflow's queue, `graph` on Microsoft's. */
export function createActivities({ fullSlices = Infinity, ...options }: ActivitiesOptions): {
  own: OwnActivities;
  graph: GraphActivities;
} {
  const deps: ActivityDeps = {
    clock: SYSTEM_CLOCK,
    sliceBudgetMs: SLICE_BUDGET_MS,
    patience: createPatience(),
    fullSlices: { free: fullSlices },
    ...options,
  };
  return {
    own: {
      recordState: (input) => recordState(deps, input),
      settleHeld: (input) => settleHeld(deps, input, temporalContext()),
      purgeRevoked: (input) => purgeRevoked(deps, input, temporalContext()),
      purgeTenant: (input) => purgeTenant(deps, input, temporalContext()),
    },
    graph: {
      refreshToken: (input) => refreshToken(deps, input, temporalContext()),
      verifyConsent: (input) => verifyConsent(deps, input, temporalContext()),
      syncSlice: (input) => syncSlice(deps, input, temporalContext()),
      reconcileSlice: (input) => reconcileSlice(deps, input, temporalContext()),
      keepSubscriptions: (input) => keepSubscriptions(deps, input, temporalContext()),
    },
  };
}

/** Well below any heartbeat timeout; the SDK sends them on no more often, yet each costs what a page's statement does. */
const BETWEEN_HEARTBEATS_MS = 250;

function temporalContext(): RunContext {
  let last = -Infinity;
  return {
    signal: cancellationSignal(),
    heartbeat(progress) {
      const now = performance.now();
      if (now - last < BETWEEN_HEARTBEATS_MS) return;
      last = now;
      heartbeat(progress);
    },
  };
}
