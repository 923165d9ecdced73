import { sql, type RawBuilder } from 'kysely';
import type { KeyRole } from '../domain/api-key.ts';
import type { Database } from './schema.ts';
import type { ApiKeyRow, ApiKeyStore } from './face/api-keys.ts';

const USE_NOTED_MS = 60_000;

/** Keys of the API, found by the hash of what the caller brings. */
export function createApiKeys(db: Database): ApiKeyStore {
  const select = async (where: RawBuilder<unknown>): Promise<readonly ApiKeyRow[]> => {
    const { rows } = await sql<Row>`
      SELECT k.id, k.name, k.role, k.tenant_no, t.id AS tenant_id, k.created_at, k.last_used_at, k.revoked_at
      FROM api_key k LEFT JOIN tenant t ON t.no = k.tenant_no ${where}`.execute(db);
    return rows.map(fromRow);
  };

  return {
    async create({ id, name, role, tenantNo, hash }) {
      // The tenant's row is held, so that a purge that is about to end takes this key along or keeps it out.
      const source =
        tenantNo === null ? sql`` : sql`FROM tenant WHERE no = ${tenantNo} AND deleted_at IS NULL FOR SHARE`;
      await sql`
        INSERT INTO api_key (id, name, role, tenant_no, hash)
        SELECT ${id}::text, ${name}::text, ${role}::text, ${tenantNo}::int, ${hash}::bytea ${source}`.execute(db);
      const [created] = await select(sql`WHERE k.id = ${id}`);
      return created;
    },

    async use(hash) {
      const [key] = await select(sql`WHERE k.hash = ${hash}::bytea AND k.revoked_at IS NULL`);
      // Many requests a second come with the same key: one of them a minute is worth a write.
      if (key && Date.now() - Date.parse(key.lastUsedAt ?? '1970-01-01') > USE_NOTED_MS) {
        await sql`
          UPDATE api_key SET last_used_at = now()
          WHERE id = ${key.id} AND coalesce(last_used_at, '-infinity') < now() - interval '1 minute'`.execute(db);
      }
      return key;
    },

    async list(after, limit) {
      const rows = await select(sql`WHERE k.id > ${after ?? ''} ORDER BY k.id LIMIT ${sql.lit(limit + 1)}`);
      const data = rows.slice(0, limit);
      return { data, next: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },

    async revoke(id) {
      await sql`UPDATE api_key SET revoked_at = now() WHERE id = ${id} AND revoked_at IS NULL`.execute(db);
      const [revoked] = await select(sql`WHERE k.id = ${id}`);
      return revoked;
    },
  };
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  readonly tenant_no: number | null;
  readonly tenant_id: string | null;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

const fromRow = (row: Row): ApiKeyRow => ({
  id: row.id,
  name: row.name,
  role: row.role,
  tenant: row.tenant_no === null || row.tenant_id === null ? null : { no: row.tenant_no, id: row.tenant_id },
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
});
