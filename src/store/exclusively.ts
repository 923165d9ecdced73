import { sql } from 'kysely';
import type { Database } from './schema.ts';
import { LONGEST_SILENCE_MS } from './session.ts';
import type { Store } from './store.ts';

/** One process among all on the server: a lock that ends with its transaction, also when its process dies. */
export function advisoryLock(db: Database): Store['exclusively'] {
  return (lock, work) =>
    db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ taken: boolean }>`
        SELECT pg_try_advisory_xact_lock(hashtextextended(${lock}, 0)) AS taken`.execute(tx);
      if (!rows[0]?.taken) return;
      // The server ends a transaction that says nothing for long, and with it the lock of a process that was stopped.
      const alive = setInterval(() => void sql`SELECT 1`.execute(tx).catch(() => undefined), LONGEST_SILENCE_MS / 4);
      try {
        await work();
      } finally {
        clearInterval(alive);
      }
    });
}

/** The embedded database has one process and one connection, which an open transaction would keep from `work`. */
export function processLock(): Store['exclusively'] {
  const held = new Set<string>();
  return async (lock, work) => {
    if (held.has(lock)) return;
    held.add(lock);
    try {
      await work();
    } finally {
      held.delete(lock);
    }
  };
}
