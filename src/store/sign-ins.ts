import { sql } from 'kysely';
import type { Attributes } from '../domain/directory.ts';
import type { Database } from './schema.ts';
import type { SignedIn, SignInStore } from './face/sign-ins.ts';

/** People who come in: what the mirror knows of one, and the codes by which the product learns who it was. */
export function createSignIns(db: Database): SignInStore {
  return {
    async person(tenantNo, userId) {
      const { rows } = await sql<{ data: Attributes; deleted: boolean }>`
        SELECT data, deleted_at IS NOT NULL AS deleted FROM directory_user
        WHERE tenant_no = ${tenantNo} AND id = ${userId}::uuid`.execute(db);
      return rows[0];
    },

    async issue(codeHash, { tenantNo, entraTenantId, userId, returnTo, authTime }, lifetimeMs) {
      await sql`
        INSERT INTO sign_in_code (code_hash, tenant_no, entra_tenant, user_id, return_to, auth_time, expires_at)
        VALUES (${codeHash}::bytea, ${tenantNo}, ${entraTenantId}::uuid, ${userId}::uuid, ${returnTo},
          ${authTime}::timestamptz, now() + ${lifetimeMs} * interval '1 millisecond')`.execute(db);
    },

    async redeem(codeHash, tenantNo) {
      // One statement: of two exchanges of the same code, one finds it unused.
      const { rows } = await sql<SignedIn>`
        UPDATE sign_in_code SET used_at = now()
        WHERE code_hash = ${codeHash}::bytea AND used_at IS NULL AND expires_at > now()
          AND tenant_no = coalesce(${tenantNo ?? null}::int, tenant_no)
        RETURNING tenant_no AS "tenantNo", entra_tenant AS "entraTenantId", user_id AS "userId",
          return_to AS "returnTo", auth_time AS "authTime", signed_in_at AS "signedInAt"`.execute(db);
      return rows[0];
    },

    async sweep() {
      await sql`DELETE FROM sign_in_code WHERE expires_at < now()`.execute(db);
    },
  };
}
