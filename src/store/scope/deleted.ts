import { sql } from 'kysely';
import { KIND_OF, type Feed, type ObjectKind } from '../../domain/directory.ts';
import { fenced } from '../fence.ts';
import { arrayText } from '../memberships.ts';
import { OBJECT_TABLE } from '../objects.ts';
import type { Database, Tx } from '../schema.ts';
import type { SyncStore } from '../face/sync.ts';

/*
 * A group that is read says nothing of members who are soft-deleted at that moment, and no feed does once they are restored
 * (3.8). Outside of a scope whoever appears may be looked at; within one the feeds speak of people without number who are not
 * mirrored. So those who are deleted are listed after groups were read, and before all are, and looked at if a feed speaks of them again.
 */

/** Microsoft purges after thirty (3.8): nobody comes back from there. */
const KEPT_DAYS = 31;

/** Groups were read by id: who is deleted is to be listed. */
export async function listDeletedLater(tx: Tx, tenantNo: number): Promise<void> {
  await sql`UPDATE scope SET list_deleted = true WHERE tenant_no = ${tenantNo} AND NOT list_deleted`.execute(tx);
}

export function createDeleted(db: Database): Pick<SyncStore, 'wantsDeleted' | 'deletedListed'> {
  return {
    wantsDeleted: (fences) =>
      fenced(db, fences, async (tx, { tenantNo, kind }) => {
        const { rows } = await sql<{ wants: boolean }>`
          SELECT list_deleted OR ${kind === 'full'} AS wants FROM scope WHERE tenant_no = ${tenantNo}`.execute(tx);
        return rows[0]?.wants ?? false;
      }),

    deletedListed: (fences, deleted) =>
      fenced(db, fences, async (tx, { tenantNo }) => {
        for (const feed of ['users', 'groups'] as const) await keep(tx, tenantNo, feed, deleted[feed]);
        // Whoever is listed no more may be restored, and no feed has said so yet.
        await sql`
          DELETE FROM scope_deleted
          WHERE tenant_no = ${tenantNo} AND listed_at < now() - ${sql.lit(KEPT_DAYS)} * interval '1 day'`.execute(tx);
        await sql`UPDATE scope SET list_deleted = false WHERE tenant_no = ${tenantNo}`.execute(tx);
      }),
  };
}

/** Those of whom the mirror itself knows that they are deleted need no list. */
async function keep(tx: Tx, tenantNo: number, feed: Feed, ids: readonly string[]): Promise<void> {
  const kind = KIND_OF[feed];
  await sql`
    INSERT INTO scope_deleted (tenant_no, kind, object_id)
    SELECT DISTINCT s.tenant_no, ${kind}::text, i.id FROM scope s, unnest(${arrayText(ids)}::uuid[]) AS i(id)
    WHERE s.tenant_no = ${tenantNo}
      AND NOT EXISTS (SELECT 1 FROM ${OBJECT_TABLE[kind]} o WHERE o.tenant_no = ${tenantNo} AND o.id = i.id)
    ON CONFLICT (tenant_no, kind, object_id) DO UPDATE SET listed_at = now()`.execute(tx);
}

/** Of those whom a feed speaks of as living the ones that were deleted: they are looked at. */
export async function lookAtReturned(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    WITH back AS (
      DELETE FROM scope_deleted
      WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ANY(${arrayText(ids)}::uuid[]) RETURNING object_id
    )
    INSERT INTO restored_object (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, object_id FROM back ON CONFLICT DO NOTHING`.execute(tx);
}
