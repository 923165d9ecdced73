import { sql } from 'kysely';
import type { Tx } from './schema.ts';
import { onWholeTables } from './whole-table.ts';

/**
 * Stages what a full round did not see. Of a soft-deleted user or group Graph says nothing, nor of its memberships: those
 * are not gone but hidden, and stay. The same holds for what goes away in this round. Repeating it does no harm.
 */
export function stageUnseen(tx: Tx, tenantNo: number): Promise<void> {
  return onWholeTables(tx, async () => {
    await stageUnseenObjects(tx, tenantNo, 'user');
    await stageUnseenObjects(tx, tenantNo, 'group');
    await stageUnseenMemberships(tx, tenantNo);
  });
}

async function stageUnseenMemberships(tx: Tx, tenantNo: number): Promise<void> {
  await sql`
    WITH hidden AS MATERIALIZED (
      SELECT id FROM directory_user WHERE tenant_no = ${tenantNo} AND deleted_at IS NOT NULL
      UNION ALL SELECT id FROM directory_group WHERE tenant_no = ${tenantNo} AND deleted_at IS NOT NULL
      UNION ALL SELECT object_id FROM staged_removal WHERE tenant_no = ${tenantNo} AND kind IN ('user', 'group')
    )
    INSERT INTO staged_removal (tenant_no, kind, object_id, member_id, reason)
    SELECT m.tenant_no, 'membership', m.group_id, m.member_id, 'changed'
    FROM membership m
    WHERE m.tenant_no = ${tenantNo}
      AND NOT EXISTS (SELECT 1 FROM round_mark k WHERE k.tenant_no = ${tenantNo} AND k.kind = 'membership'
        AND k.object_id = m.group_id AND k.member_id = m.member_id)
      AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.id = m.group_id)
      AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.id = m.member_id)
    ON CONFLICT DO NOTHING`.execute(tx);
}

async function stageUnseenObjects(tx: Tx, tenantNo: number, kind: 'user' | 'group'): Promise<void> {
  await sql`
    INSERT INTO staged_removal (tenant_no, kind, object_id, reason)
    SELECT o.tenant_no, ${kind}::text, o.id, 'changed'
    FROM ${sql.table(`directory_${kind}`)} o
    WHERE o.tenant_no = ${tenantNo} AND o.deleted_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM round_mark k
        WHERE k.tenant_no = ${tenantNo} AND k.kind = ${kind} AND k.object_id = o.id)
    ON CONFLICT DO NOTHING`.execute(tx);
}
