import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** Waits 1, 2, 4, … seconds, at most 30, until told to stop. Rejects with the signal's reason. */
export function createBackoff(signal?: AbortSignal): { readonly nextMs: () => number; wait(): Promise<void> } {
  let delay = FIRST_MS;
  return {
    nextMs: () => delay,
    async wait() {
      try {
        await sleep(delay, undefined, signal ? { signal } : {});
      } catch {
        // Only the signal ends a sleep early, and its reason says more than AbortError does.
        signal?.throwIfAborted();
      }
      delay = Math.min(delay * 2, LONGEST_MS);
    },
  };
}
