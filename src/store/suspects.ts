import { sql } from 'kysely';
import type { FoldedPage } from '../domain/delta.ts';
import type { ObjectKind } from '../domain/directory.ts';
import { SUSPECT_LOOK_AFTER_MS } from '../domain/reconcile.ts';
import { fenced, type FencedRound } from './fence.ts';
import { arrayText } from './memberships.ts';
import { OBJECT_TABLE } from './objects.ts';
import type { Database, Tx } from './schema.ts';
import type { SyncStore } from './store.ts';

/** As many as one filtered feed may be asked for. */
const LOOKED_AT_ONCE = 50;

/** Whether suspects of a tenant are to be looked at again: once the comparison that found them is over. */
export const suspectsAreDue = sql`
  EXISTS (SELECT 1 FROM suspect s JOIN reconcile k ON k.tenant_no = s.tenant_no AND NOT k.comparing
    WHERE s.tenant_no = tenant.no AND s.seen_at <= now() - ${SUSPECT_LOOK_AFTER_MS} * interval '1 ms')`;

/** What the feed says of something since it became suspect is newer than the suspicion. */
export async function clearSuspicion(tx: Tx, tenantNo: number, kind: ObjectKind, page: FoldedPage): Promise<void> {
  const ids = [...page.objects, ...page.removed].map(({ id }) => id);
  await sql`
    DELETE FROM suspect
    WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ANY(${arrayText(ids)}::uuid[])`.execute(tx);
}

/** The second look at what a reconcile found, at the end of a delta round. */
export function createSuspects(db: Database): Pick<SyncStore, 'suspectsDue' | 'settleSuspects'> {
  return {
    async suspectsDue(tenantNo) {
      const { rows } = await sql<{ kind: ObjectKind; object_id: string }>`
        SELECT s.kind, s.object_id FROM suspect s JOIN round r ON r.tenant_no = s.tenant_no
        JOIN reconcile k ON k.tenant_no = s.tenant_no AND NOT k.comparing
        WHERE s.tenant_no = ${tenantNo} AND s.seen_at < r.started_at
          AND s.seen_at <= now() - ${SUSPECT_LOOK_AFTER_MS} * interval '1 ms'
        ORDER BY s.kind DESC, s.object_id LIMIT ${sql.lit(LOOKED_AT_ONCE)}`.execute(db);
      const kind = rows[0]?.kind;
      return kind && { kind, ids: rows.filter((row) => row.kind === kind).map((row) => row.object_id) };
    },

    settleSuspects: (fences, kind, ids, applied) =>
      fenced(db, fences, (tx, round) => settle(tx, round, kind, ids, applied)),
  };
}

/** What the second look did not meet either goes the way of all removals: staged, weighed by the guard, and told. */
async function settle(
  tx: Tx,
  { tenantNo }: FencedRound,
  kind: ObjectKind,
  ids: readonly string[],
  applied: number,
): Promise<'settled'> {
  const looked = sql`${arrayText(ids)}::uuid[]`;
  const { rows: gone } = await sql`
    INSERT INTO staged_removal (tenant_no, kind, object_id, reason)
    SELECT o.tenant_no, ${kind}::text, o.id, 'changed' FROM ${OBJECT_TABLE[kind]} o
    WHERE o.tenant_no = ${tenantNo} AND o.id = ANY(${looked}) AND o.deleted_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM reconcile_mark k
        WHERE k.tenant_no = ${tenantNo} AND k.kind = ${kind} AND k.object_id = o.id)
    ON CONFLICT DO NOTHING RETURNING 1`.execute(tx);
  const { rows: left } = await sql`
    INSERT INTO staged_removal (tenant_no, kind, object_id, member_id, reason)
    SELECT v.tenant_no, 'membership', v.group_id, v.member_id, 'deleted' FROM visible_membership v
    WHERE ${kind === 'group'} AND v.tenant_no = ${tenantNo} AND v.group_id = ANY(${looked})
      AND EXISTS (SELECT 1 FROM reconcile_mark k
        WHERE k.tenant_no = ${tenantNo} AND k.kind = 'group' AND k.object_id = v.group_id)
      AND NOT EXISTS (SELECT 1 FROM reconcile_mark k WHERE k.tenant_no = ${tenantNo} AND k.kind = 'membership'
        AND k.object_id = v.group_id AND k.member_id = v.member_id)
    ON CONFLICT DO NOTHING RETURNING 1`.execute(tx);
  await sql`DELETE FROM reconcile_mark WHERE tenant_no = ${tenantNo} AND object_id = ANY(${looked})`.execute(tx);
  await sql`DELETE FROM suspect WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ANY(${looked})`.execute(
    tx,
  );
  const drift = applied + gone.length + left.length;
  await sql`UPDATE reconcile SET drift = drift + ${drift} WHERE tenant_no = ${tenantNo}`.execute(tx);
  return 'settled';
}
