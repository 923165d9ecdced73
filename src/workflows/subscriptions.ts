import { ActivityFailure } from '@temporalio/workflow';
import type { KeepOutcome } from '../domain/activities.ts';
import { takeHint } from '../domain/intent-effect.ts';
import type { ProblemRecord } from '../domain/problem.ts';
import type { TenantPolicy, TenantWorkflowState } from '../domain/tenant-workflow.ts';

export interface SubscriptionKeeper {
  /** Begins to look after them, if that is not under way; nobody waits for the end. */
  tend(): void;
  busy(): boolean;
  /** Deletes them before the tenant goes, as well as can be. */
  end(): Promise<void>;
}

/** Change notifications beside the rounds: whatever becomes of them, no round waits for it. */
export function createSubscriptionKeeper(
  state: TenantWorkflowState,
  keep: () => Promise<KeepOutcome>,
  wake: () => void,
): SubscriptionKeeper {
  let current: Promise<void> | undefined;

  const take = ({ kept, begun, failingSince }: KeepOutcome) => {
    state.subscribed = kept !== 'off';
    state.notificationsFailingSince = failingSince ?? null;
    // What changed between the last round and the subscription's beginning was told to nobody.
    if (!begun || state.deleting || state.phase === 'revoked') return;
    if (takeHint(state)) wake();
  };

  const run = async () => {
    try {
      take(await keep());
    } catch (error) {
      // It is due again with the next round: the database knows.
      if (!(error instanceof ActivityFailure)) throw error;
    } finally {
      current = undefined;
    }
  };

  return {
    tend() {
      // Before it is known what there is, something may be.
      state.subscribed = true;
      current ??= run();
    },
    busy: () => current !== undefined,
    async end() {
      await current;
      if (state.subscribed) await run();
    },
  };
}

/** What is said of a tenant whose rounds are well: that nobody tells us of changes, once it lasts. */
export function notificationsProblem(
  { notificationsFailingSince: since }: TenantWorkflowState,
  policy: TenantPolicy,
  now: number,
): ProblemRecord | null {
  const lasts = since && now - Date.parse(since) >= policy.notificationsPatienceMs;
  return lasts ? { code: 'notifications_unavailable', since } : null;
}
