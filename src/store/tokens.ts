import { sql } from 'kysely';
import type { Database } from './schema.ts';
import type { TokenStore } from './face/tokens.ts';
import { WHOLE_APPLICATION } from './throttle.ts';

/** Sealed application tokens, one a tenant, for all workers. */
export function createTokens(db: Database): TokenStore {
  return {
    async put(tenantNo, sealed, expiresAt) {
      // The tenant's row is held, so that a purge that is about to end takes this token along or keeps it out.
      await sql`
        INSERT INTO tenant_token (tenant_no, sealed, expires_at)
        SELECT no, ${sealed}::bytea, ${expiresAt}::timestamptz FROM tenant
        WHERE no = ${tenantNo} AND deleted_at IS NULL FOR SHARE
        ON CONFLICT (tenant_no) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at`.execute(db);
    },

    async get(tenantNo) {
      const row = await db
        .selectFrom('tenant_token')
        .selectAll()
        .select(
          sql<string | null>`(SELECT max(h.until) FROM throttle h
            WHERE h.tenant_no IN (${WHOLE_APPLICATION}, tenant_token.tenant_no))`.as('throttled_until'),
        )
        .where('tenant_no', '=', tenantNo)
        .executeTakeFirst();
      return (
        row && {
          sealed: row.sealed,
          expiresAt: new Date(row.expires_at),
          throttledUntil: row.throttled_until === null ? null : new Date(row.throttled_until),
        }
      );
    },
  };
}
