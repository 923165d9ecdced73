import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

/** Tries until the database answers. What it says while it waits names the place, and the server's own reason. */
export async function waitForDatabase(
  ping: () => Promise<void>,
  where: { readonly host: string; readonly port: number; readonly database: string },
  log: Logger,
  signal?: AbortSignal,
): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      await ping();
      return;
    } catch (error) {
      signal?.throwIfAborted();
      log.warn(
        { ...where, reason: reasonOf(error), retryInMs: waitMs },
        `Cannot reach the database ${where.database} at ${where.host}:${where.port}; trying again`,
      );
      await sleep(waitMs, undefined, signal ? { signal } : {});
    }
  }
}

/** A refused connection to a name with several addresses is an AggregateError without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
