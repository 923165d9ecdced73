import { ActivityFailure } from '@temporalio/workflow';

export interface Reconciler {
  /** Begins a piece, if none is under way; nobody waits for the end. */
  tend(): void;
  busy(): boolean;
}

/** The mirror held against a fresh read, a piece after a round, beside the rounds that follow. */
export function createReconciler(reconcile: () => Promise<void>): Reconciler {
  let current: Promise<void> | undefined;
  const run = async () => {
    try {
      await reconcile();
    } catch (error) {
      // It goes on after the next round: the database knows how far it came.
      if (!(error instanceof ActivityFailure)) throw error;
    } finally {
      current = undefined;
    }
  };
  return {
    tend() {
      current ??= run();
    },
    busy: () => current !== undefined,
  };
}
