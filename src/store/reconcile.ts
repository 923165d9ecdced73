import { sql } from 'kysely';
import { COUNT_EVERY_MS, RECONCILE_EVERY_MS } from '../domain/reconcile.ts';
import { chosenOf, scopeOf } from '../domain/scope.ts';
import { mayFetch } from '../domain/tenant.ts';
import { comparePage, finish } from './compare.ts';
import { createCounted } from './counts.ts';
import { driftOfAll, reconcileColumn, reconcileFromJson } from './drift.ts';
import type { Database, Tx } from './schema.ts';
import type { OpenReconcile, ReconcileStore } from './face/reconcile.ts';

/** The comparison of the mirror with a fresh read, a page a transaction, under a fence of its own. It writes no row of the mirror. */
export function createReconcile(db: Database): ReconcileStore {
  return {
    open: (tenantNo) => db.transaction().execute((tx) => open(tx, tenantNo)),
    comparePage: (fence, feed, page) => db.transaction().execute((tx) => comparePage(tx, fence, feed, page)),
    finish: (fence) => db.transaction().execute((tx) => finish(tx, fence)),

    async startOver({ tenantNo, epoch }, inMs) {
      await sql`
        UPDATE reconcile SET comparing = false, due_at = now() + ${inMs} * interval '1 ms'
        WHERE tenant_no = ${tenantNo} AND epoch = ${epoch}`.execute(db);
    },

    counted: createCounted(db),

    async ask(tenantNo) {
      await sql`
        UPDATE reconcile SET due_at = CASE WHEN comparing THEN now() ELSE least(due_at, now()) END
        WHERE tenant_no = ${tenantNo}`.execute(db);
    },

    async status(tenantNo) {
      const { rows } = await sql<{ status: Parameters<typeof reconcileFromJson>[0] | null }>`
        SELECT ${reconcileColumn(sql`${tenantNo}::int`)} AS status`.execute(db);
      const status = rows[0]?.status;
      return status ? reconcileFromJson(status) : undefined;
    },

    driftOfAll: () => driftOfAll(db),
  };
}

async function open(tx: Tx, tenantNo: number): Promise<OpenReconcile | 'nothing_due'> {
  const tenant = await tx
    .selectFrom('tenant')
    .select(['phase', 'scope'])
    .where('no', '=', tenantNo)
    .where('paused', '=', false)
    .where('deleting_at', 'is', null)
    .where('deleted_at', 'is', null)
    .forShare()
    .executeTakeFirst();
  if (!tenant || !mayFetch(tenant.phase)) return 'nothing_due';
  // Counts that are refused, too, are asked for in an hour again and not with every round.
  const isToCount = sql`NOT k.comparing AND k.due_at > now() AND k.counted_at <= now() - ${COUNT_EVERY_MS} * interval '1 ms'`;
  const { rows } = await sql<{ epoch: number; comparing: boolean; due: boolean; count: boolean }>`
    UPDATE reconcile r SET epoch = r.epoch + 1, counted_at = CASE WHEN d.count THEN now() ELSE r.counted_at END
    FROM (SELECT k.tenant_no, ${isToCount} AS count FROM reconcile k WHERE k.tenant_no = ${tenantNo} FOR UPDATE) d
    WHERE r.tenant_no = d.tenant_no
    RETURNING r.epoch, r.comparing, r.due_at <= now() AS due, d.count`.execute(tx);
  const [row] = rows;
  if (!row) return 'nothing_due';
  const fence = { tenantNo, epoch: row.epoch };
  const chosen = chosenOf(scopeOf(tenant.scope));
  if (!row.comparing && !row.due) return row.count ? { step: 'count', fence, chosen } : 'nothing_due';
  if (!row.comparing) {
    await forgetReconcile(tx, tenantNo);
    await sql`DELETE FROM drift WHERE tenant_no = ${tenantNo}`.execute(tx);
    await sql`
      UPDATE reconcile SET comparing = true, started_at = now(), completed_at = NULL, compared = 0, suspected = 0,
        users_link = NULL, users_done = false, groups_link = NULL, groups_done = false, pages = 0, barren = 0, anchor = NULL
      WHERE tenant_no = ${tenantNo}`.execute(tx);
  }
  const at = await tx.selectFrom('reconcile').selectAll().where('tenant_no', '=', tenantNo).executeTakeFirstOrThrow();
  return {
    step: 'compare',
    fence,
    chosen,
    feeds: {
      users: { done: at.users_done, link: at.users_link ?? undefined },
      groups: { done: at.groups_done, link: at.groups_link ?? undefined },
    },
  };
}

/** Where fetching must stop: what a comparison still has on its way is not written. */
export async function haltReconcile(tx: Tx, tenantNo: number): Promise<void> {
  await sql`UPDATE reconcile SET epoch = epoch + 1 WHERE tenant_no = ${tenantNo}`.execute(tx);
}

/** A comparison that is under way is worth nothing once everything is read anew, or under another query. */
export async function forgetReconcile(tx: Tx, tenantNo: number): Promise<void> {
  await sql`UPDATE reconcile SET comparing = false, epoch = epoch + 1 WHERE tenant_no = ${tenantNo} AND comparing`.execute(
    tx,
  );
  await sql`DELETE FROM reconcile_mark WHERE tenant_no = ${tenantNo}`.execute(tx);
  await sql`DELETE FROM suspect WHERE tenant_no = ${tenantNo}`.execute(tx);
}

/** Another scope: what a comparison under way has compared is void, and it begins anew. One that is over is believed. */
export async function restartReconcile(tx: Tx, tenantNo: number): Promise<void> {
  const { rows } = await sql`
    SELECT 1 FROM reconcile WHERE tenant_no = ${tenantNo} AND comparing FOR UPDATE`.execute(tx);
  if (rows.length > 0) await forgetReconcile(tx, tenantNo);
}

/** A full round that came to its end has proven what a reconcile would. Spread over days, so that tenants that began together do not reconcile together. */
export async function putOffReconcile(tx: Tx, tenantNo: number): Promise<void> {
  await sql`
    INSERT INTO reconcile (tenant_no, due_at)
    VALUES (${tenantNo}, now() + (0.75 + random() / 4) * ${RECONCILE_EVERY_MS} * interval '1 ms')
    ON CONFLICT (tenant_no) DO UPDATE SET due_at = excluded.due_at, counted_at = now(), strikes = 0`.execute(tx);
}
