import { sql } from 'kysely';
import type { Database } from './schema.ts';

/**
 * A database that was restored has forgotten events that readers may have seen, and will hand out their positions again.
 * Where the server tells which database this is, a change of it gives the feed a new epoch. Returns whether it did.
 */
export async function noticeRestore(db: Database): Promise<boolean> {
  const identity = await databaseIdentity(db);
  if (identity === undefined) return false;
  // Random, not the next: a backup restored twice must not begin the same epoch twice.
  const { rows } = await sql<{ renewed: boolean }>`
    WITH old AS (SELECT epoch, database_identity FROM feed WHERE database_identity IS DISTINCT FROM ${identity} FOR UPDATE)
    UPDATE feed SET database_identity = ${identity},
      epoch = CASE WHEN old.database_identity IS NULL THEN old.epoch ELSE floor(random() * 2000000000)::bigint + 1 END
    FROM old
    RETURNING old.database_identity IS NOT NULL AS renewed`.execute(db);
  return rows[0]?.renewed ?? false;
}

/** Undefined where the server keeps it from us. */
async function databaseIdentity(db: Database): Promise<string | undefined> {
  try {
    const { rows } = await sql<{ identity: string }>`
      SELECT system_identifier || '/' || (SELECT timeline_id FROM pg_control_checkpoint()) AS identity
      FROM pg_control_system()`.execute(db);
    return rows[0]?.identity;
  } catch {
    return undefined;
  }
}
