import { sql } from 'kysely';
import { STRIKES_TO_RECONCILE, SUSPICION_EVERY_MS } from '../domain/reconcile.ts';
import type { Database, Tx } from './schema.ts';
import type { ReconcileStore } from './face/reconcile.ts';

/**
 * Graph's counts of users and groups against the mirror's. They are a suspicion and no proof, and may differ for ever: a
 * difference behind which a comparison found nothing counts no more while it stays the same, and a changing one leads to a
 * comparison a day at most, until there is drift behind it.
 */
export function createCounted(db: Database): ReconcileStore['counted'] {
  return async ({ tenantNo, epoch }, counts) => {
    const nextAt = sql`
      CASE WHEN r.started_at IS NULL OR (r.completed_at IS NOT NULL AND ${hasDrift(tenantNo)}) THEN now()
        ELSE greatest(now(), coalesce(r.completed_at, r.started_at) + ${SUSPICION_EVERY_MS} * interval '1 ms') END`;
    await sql`
      UPDATE reconcile r SET strikes = d.strikes, off_users = d.users, off_groups = d.groups,
        known_users = CASE WHEN d.equal THEN 0 ELSE r.known_users END,
        known_groups = CASE WHEN d.equal THEN 0 ELSE r.known_groups END,
        due_at = CASE WHEN d.strikes >= ${STRIKES_TO_RECONCILE} THEN least(r.due_at, ${nextAt}) ELSE r.due_at END
      FROM (SELECT o.*, o.users = 0 AND o.groups = 0 AS equal,
          CASE WHEN (o.users = 0 AND o.groups = 0) OR (o.users = k.known_users AND o.groups = k.known_groups)
            -- Of a part of a directory the counts of all of it say nothing.
            OR EXISTS (SELECT 1 FROM scope s WHERE s.tenant_no = k.tenant_no) THEN 0 ELSE k.strikes + 1 END AS strikes
        FROM (SELECT no, ${counts.users}::bigint - users AS users, ${counts.groups}::bigint - groups AS groups FROM tenant) o
        JOIN reconcile k ON k.tenant_no = o.no WHERE o.no = ${tenantNo}) d
      WHERE r.tenant_no = d.no AND r.epoch = ${epoch}`.execute(db);
  };
}

/** Once all that a comparison suspected is looked at, and nothing of it was true, the counts differ for a reason of Graph's own. */
export async function acceptCounts(tx: Tx, tenantNo: number): Promise<void> {
  await sql`
    UPDATE reconcile SET known_users = off_users, known_groups = off_groups
    WHERE tenant_no = ${tenantNo} AND completed_at IS NOT NULL AND NOT ${hasDrift(tenantNo)}
      AND NOT EXISTS (SELECT 1 FROM suspect WHERE tenant_no = ${tenantNo})`.execute(tx);
}

const hasDrift = (tenantNo: number) => sql`EXISTS (SELECT 1 FROM drift WHERE tenant_no = ${tenantNo})`;
