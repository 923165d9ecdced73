import { sql } from 'kysely';
import type { Database, Tx } from './schema.ts';
import type { SubscriptionStore } from './face/subscriptions.ts';
import type { OpenSlice } from './face/sync.ts';

/** A hint that no round took in this time was lost on its way. */
const HINT_LOST_AFTER_MS = 2 * 60_000;

/** Change notifications: which subscriptions a tenant has, and which tenants have news. */
export function createSubscriptionStore(db: Database): SubscriptionStore {
  return {
    async of(tenantNo) {
      const rows = await db.selectFrom('subscription').selectAll().where('tenant_no', '=', tenantNo).execute();
      return rows.map((row) => ({ resource: row.resource, id: row.id, expiresAt: new Date(row.expires_at) }));
    },

    async put(tenantNo, { resource, id, clientStateHash, expiresAt }) {
      // The tenant's row is held, so that a purge that is about to end takes this row along or keeps it out.
      const { rows } = await sql`
        INSERT INTO subscription (tenant_no, resource, id, client_state_hash, expires_at)
        SELECT no, ${resource}::text, ${id}::text, ${clientStateHash}::bytea, ${expiresAt}::timestamptz FROM tenant
        WHERE no = ${tenantNo} AND deleted_at IS NULL FOR SHARE
        ON CONFLICT (tenant_no, resource) DO UPDATE SET id = excluded.id,
          client_state_hash = excluded.client_state_hash, expires_at = excluded.expires_at
        RETURNING id`.execute(db);
      return rows.length > 0;
    },

    async renewed(tenantNo, resource, expiresAt) {
      await sql`
        UPDATE subscription SET expires_at = ${expiresAt}::timestamptz
        WHERE tenant_no = ${tenantNo} AND resource = ${resource}`.execute(db);
    },

    async drop(tenantNo, resource) {
      await sql`DELETE FROM subscription WHERE tenant_no = ${tenantNo} AND resource = ${resource}`.execute(db);
    },

    async keeping(tenantNo) {
      const row = await db
        .selectFrom('notification_state')
        .select(['base_url', 'failures', 'failing_since'])
        .where('tenant_no', '=', tenantNo)
        .executeTakeFirst();
      if (!row) return { baseUrl: null, failures: 0, failingSince: null };
      return { baseUrl: row.base_url, failures: row.failures, failingSince: row.failing_since };
    },

    async kept(tenantNo, { keepAt, baseUrl, failures, failingSince }) {
      await sql`
        INSERT INTO notification_state (tenant_no, keep_at, base_url, failures, failing_since)
        SELECT no, ${keepAt}::timestamptz, ${baseUrl}::text, ${failures}::int, ${failingSince}::timestamptz FROM tenant
        WHERE no = ${tenantNo} AND deleted_at IS NULL FOR SHARE
        ON CONFLICT (tenant_no) DO UPDATE SET keep_at = excluded.keep_at, base_url = excluded.base_url,
          failures = excluded.failures, failing_since = excluded.failing_since`.execute(db);
    },

    async known(ids) {
      if (ids.length === 0) return [];
      const { rows } = await sql<{ id: string; no: number; tenant: string; directory: string; hash: Uint8Array }>`
        SELECT s.id, t.no, t.id AS tenant, t.entra_tenant AS directory, s.client_state_hash AS hash
        FROM subscription s JOIN tenant t ON t.no = s.tenant_no
        WHERE s.id = ANY(${[...ids]}::text[]) AND t.deleting_at IS NULL AND t.deleted_at IS NULL
          AND t.entra_tenant IS NOT NULL`.execute(db);
      return rows.map(({ id, no, tenant, directory, hash }) => ({
        id,
        tenantNo: no,
        tenantId: tenant,
        entraTenantId: directory,
        clientStateHash: hash,
      }));
    },

    async hint(tenantNos, { keepNow }) {
      if (tenantNos.length === 0) return [];
      // In one order, so that two batches which name the same tenants do not wait for each other.
      const numbers = [...new Set(tenantNos)].sort((a, b) => a - b);
      return db.transaction().execute(async (tx) => {
        if (keepNow) {
          await sql`
            UPDATE notification_state SET keep_at = least(keep_at, now())
            WHERE tenant_no IN (SELECT tenant_no FROM notification_state
              WHERE tenant_no = ANY(${numbers}::int[]) ORDER BY tenant_no FOR UPDATE)`.execute(tx);
        }
        const { rows } = await sql<{ tenant_no: number }>`
          INSERT INTO notification_state AS s (tenant_no, hint_pending_at)
          SELECT no, now() FROM tenant WHERE no = ANY(${numbers}::int[]) AND deleting_at IS NULL ORDER BY no
          ON CONFLICT (tenant_no) DO UPDATE SET hint_pending_at = excluded.hint_pending_at
            WHERE s.hint_pending_at IS NULL
              OR s.hint_pending_at < now() - ${HINT_LOST_AFTER_MS} * interval '1 millisecond'
          RETURNING tenant_no`.execute(tx);
        return rows.map((row) => row.tenant_no);
      });
    },
  };
}

/**
 * A round begins: the hint that led to it, if there is one, is used up. Says when the subscriptions are to be looked after.
 * Only read where there is none: one that comes a moment later finds no hint before it, and is sent.
 */
export async function takeHint(tx: Tx, tenantNo: number): Promise<OpenSlice['subscriptions']> {
  const state = await tx
    .selectFrom('notification_state')
    .select(['hint_pending_at', 'keep_at', 'base_url'])
    .where('tenant_no', '=', tenantNo)
    .executeTakeFirst();
  if (!state) return null;
  if (state.hint_pending_at !== null) {
    await sql`UPDATE notification_state SET hint_pending_at = NULL WHERE tenant_no = ${tenantNo}`.execute(tx);
  }
  return state.keep_at === null ? null : { keepAt: new Date(state.keep_at), baseUrl: state.base_url };
}
