import { sql } from 'kysely';
import type { Database } from './schema.ts';
import type { AuditEntry, AuditStore } from './face/audit.ts';

/** Who did what. The deed itself is another transaction: an entry without a status may have happened or not. */
export function createAudit(db: Database): AuditStore {
  return {
    async begin({ actor, keyId, action, tenant, subject, address, requestId }) {
      const { rows } = await sql<{ no: number }>`
        INSERT INTO audit_entry (actor, key_id, action, tenant, subject, address, request_id)
        VALUES (${actor}, ${keyId}, ${action}, ${tenant}, ${subject}, ${address}, ${requestId}::uuid)
        RETURNING no`.execute(db);
      const [begun] = rows;
      if (!begun) throw new Error('The audit log took no entry');
      return begun.no;
    },

    async note(no, { tenant, subject, status }) {
      await sql`
        UPDATE audit_entry SET status = ${status}::int, tenant = ${tenant}, subject = ${subject}
        WHERE no = ${no}::bigint`.execute(db);
    },

    async list(after, limit, tenant) {
      // A name of a key is asked for now: what is forgotten of the key is forgotten here too.
      const { rows } = await sql<AuditEntry>`
        SELECT a.no, a.at, a.actor, a.key_id AS "keyId", k.name AS "keyName", a.action, a.tenant, a.subject, a.address,
          a.request_id AS "requestId", a.status
        FROM audit_entry a LEFT JOIN api_key k ON k.id = a.key_id
        WHERE ${after === undefined ? sql`true` : sql`a.no < ${after}::bigint`}
          AND ${tenant === undefined ? sql`true` : sql`a.tenant = ${tenant}`}
        ORDER BY a.no DESC LIMIT ${sql.lit(limit + 1)}`.execute(db);
      const data = rows.slice(0, limit);
      return { data, next: rows.length > limit ? String(data.at(-1)?.no) : null };
    },
  };
}
