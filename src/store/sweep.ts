import { sql } from 'kysely';
import type { FencedRound } from './fence.ts';
import { arrayText } from './memberships.ts';
import { dropPick, openPick } from './pick.ts';
import type { Database, Tx } from './schema.ts';
import type { WantedObjects } from './face/sync.ts';
import { onWholeTables } from './whole-table.ts';

/**
 * Stages what a full round did not see. Of a soft-deleted user or group Graph says nothing, nor of its memberships: those
 * are not gone but hidden, and stay. The same holds for what goes away in this round. Repeating it does no harm.
 */
export async function stageUnseen(tx: Tx, { tenantNo, kind, marks }: FencedRound): Promise<void> {
  if (kind !== 'full' || !marks) return;
  await onWholeTables(tx, async () => {
    await stageUnseenObjects(tx, tenantNo, 'user');
    await stageUnseenObjects(tx, tenantNo, 'group');
    await stageUnseenMemberships(tx, tenantNo);
  });
}

/** Groups that one look is for: as many as one filtered feed may be asked for. */
const GROUPS_AT_ONCE = 50;
/** Of a membership that a full round missed, until its group was read again. The feed's own word is `deleted`. */
const UNSEEN = 'changed';

/** Some of the groups of which memberships were missed, and that were not read again yet. */
export async function groupsOfUnseen(db: Database, tenantNo: number): Promise<WantedObjects | undefined> {
  const begun = await openPick(db, tenantNo, ['missed']);
  if (begun) return begun;
  const { rows } = await sql<{ id: string }>`
    SELECT DISTINCT object_id AS id FROM staged_removal
    WHERE tenant_no = ${tenantNo} AND kind = 'membership' AND reason = ${UNSEEN}
    ORDER BY object_id LIMIT ${sql.lit(GROUPS_AT_ONCE)}`.execute(db);
  return rows.length === 0 ? undefined : { feed: 'groups', ids: rows.map(({ id }) => id), why: 'missed' };
}

/** What is still missed after another look is gone. */
export async function believeUnseen(tx: Tx, { tenantNo }: FencedRound, { ids, why }: WantedObjects): Promise<void> {
  await dropPick(tx, tenantNo, why);
  await sql`
    UPDATE staged_removal SET reason = 'deleted'
    WHERE tenant_no = ${tenantNo} AND kind = 'membership' AND reason = ${UNSEEN}
      AND object_id = ANY(${arrayText(ids)}::uuid[])`.execute(tx);
}

async function stageUnseenMemberships(tx: Tx, tenantNo: number): Promise<void> {
  await sql`
    WITH hidden AS MATERIALIZED (
      SELECT id FROM directory_user WHERE tenant_no = ${tenantNo} AND deleted_at IS NOT NULL
      UNION ALL SELECT id FROM directory_group WHERE tenant_no = ${tenantNo} AND deleted_at IS NOT NULL
      UNION ALL SELECT object_id FROM staged_removal WHERE tenant_no = ${tenantNo} AND kind IN ('user', 'group')
    )
    INSERT INTO staged_removal (tenant_no, kind, object_id, member_id, reason)
    SELECT m.tenant_no, 'membership', m.group_id, m.member_id, ${UNSEEN}
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
