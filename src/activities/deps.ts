import type { Graph } from '../graph/graph.ts';
import type { Sealer } from '../crypto/sealer.ts';
import type { Store } from '../store/store.ts';

/** What pino's logger offers of it. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Clock {
  now(): number;
  /** Rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface ActivityDeps {
  readonly store: Store;
  readonly graph: Graph;
  readonly sealer: Sealer;
  readonly log: Log;
  readonly clock: Clock;
  readonly patience: Patience;
  /** Slices of full rounds that this process still has room for: some slots are kept for delta rounds, always. */
  readonly fullSlices: { free: number };
  /** After this a slice ends between two pages. */
  readonly sliceBudgetMs: number;
  readonly syncIntervalMs: number;
  /** Where Microsoft reaches us, without a slash at its end; undefined: by polling alone. */
  readonly notificationUrl?: string | undefined;
}

/** What an activity has from whoever runs it; Temporal in production. */
export interface RunContext {
  /** Aborted on cancellation and on the worker's shutdown. */
  readonly signal: AbortSignal;
  /** Tells that work goes on. Counts only: details are shown in the Temporal UI. */
  heartbeat(progress?: { readonly pages: number; readonly changes: number }): void;
}

/**
 * How often in a row something went wrong for a tenant in this process, so that waits grow where Microsoft states none.
 * Forgotten at a restart: then the first wait is a short one again, which does no harm.
 */
export interface Patience {
  /** The next wait: doubled at each call since the last success. */
  next(key: string, firstMs: number, longestMs: number): number;
  /** The same, but none at the first call: what went wrong once may be tried again at once. */
  nextButFirst(key: string, firstMs: number, longestMs: number): number;
  reset(key: string): void;
}

export function createPatience(random: () => number = Math.random): Patience {
  const counts = new Map<string, number>();
  const next: Patience['next'] = (key, firstMs, longestMs) => {
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    // Up to a fifth longer, so that tenants that were stopped together do not come back together.
    return Math.round(Math.min(firstMs * 2 ** count, longestMs) * (1 + random() / 5));
  };
  return {
    next,
    nextButFirst(key, firstMs, longestMs) {
      const first = !counts.has(key);
      const wait = next(key, firstMs, longestMs);
      return first ? 0 : wait;
    },
    reset: (key) => void counts.delete(key),
  };
}
