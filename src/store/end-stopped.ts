import { sql } from 'kysely';
import { APPLICATION_NAME } from './postgres.ts';
import type { Database } from './schema.ts';

const SILENT_MS = 60_000;

/**
 * A process that stands still in the middle of a COPY, or of a long answer, holds the locks of its transaction inside a
 * statement: there the server waits for it without any limit of its own. Both take moments while somebody is there.
 */
export async function endStopped(db: Database, silentMs = SILENT_MS): Promise<void> {
  await sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name = ${APPLICATION_NAME}
      AND pid <> pg_backend_pid() AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
      AND query_start <= clock_timestamp() - ${silentMs} * interval '1 millisecond'`.execute(db);
}
