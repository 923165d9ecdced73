import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { IntentKind } from '../domain/intent.ts';
import { lockLiveTenant, raiseFences } from './fence.ts';
import { markApproved } from './hold.ts';
import { haltReconcile } from './reconcile.ts';
import type { Database, Tx } from './schema.ts';
import type { Intent, IntentStore } from './face/intents.ts';

/** What the API wants of workflows, until one has taken it. */
export function createIntents(db: Database): IntentStore {
  return {
    add: (tenantNo, kind) =>
      db.transaction().execute(async (tx) => {
        if (!(await lockLiveTenant(tx, tenantNo))) throw new Error(`There is no tenant ${tenantNo} to ${kind}`);
        if (kind === 'delete') await markDeleting(tx, tenantNo);
        if (kind === 'approve_held') await markApproved(tx, tenantNo);
        return insertIntent(tx, tenantNo, kind);
      }),

    async open(ageMs) {
      const rows = await db
        .selectFrom('intent')
        .innerJoin('tenant', 'tenant.no', 'intent.tenant_no')
        .select(['intent.id', 'intent.seq', 'intent.tenant_no', 'intent.kind', 'tenant.id as tenant_id'])
        .where('intent.taken_at', 'is', null)
        .where('intent.created_at', '<=', sql<string>`now() - ${ageMs} * interval '1 millisecond'`)
        .where('tenant.deleted_at', 'is', null)
        .orderBy('intent.seq')
        .execute();
      return rows.map((row) => ({
        id: row.id,
        seq: row.seq,
        tenantNo: row.tenant_no,
        kind: row.kind,
        tenantId: row.tenant_id,
      }));
    },

    tick: (ids) => tickIntents(db, ids),
  };
}

export async function insertIntent(tx: Tx, tenantNo: number, kind: IntentKind): Promise<Intent> {
  const row = await tx
    .insertInto('intent')
    .values({ id: randomUUID(), tenant_no: tenantNo, kind })
    .returning(['id', 'seq'])
    .executeTakeFirstOrThrow();
  return { id: row.id, seq: row.seq, tenantNo, kind };
}

export async function tickIntents(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`UPDATE intent SET taken_at = now() WHERE id = ANY(${ids}::uuid[]) AND taken_at IS NULL`.execute(db);
}

/** From here on nothing more is fetched for the tenant; its row must be locked. */
export async function markDeleting(tx: Tx, tenantNo: number): Promise<void> {
  await sql`UPDATE tenant SET deleting_at = coalesce(deleting_at, now()) WHERE no = ${tenantNo}`.execute(tx);
  await raiseFences(tx, tenantNo);
  await haltReconcile(tx, tenantNo);
}
