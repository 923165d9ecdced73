import { sql } from 'kysely';
import { jsonText } from './json-text.ts';
import type { Database } from './schema.ts';
import type { SyncStore } from './store.ts';

/** Reasons that are kept of one tenant: an unheard-of type in every object must not fill the table. */
const REASONS_KEPT = 100;

export function createSkipped(db: Database): Pick<SyncStore, 'recordSkipped' | 'skipped'> {
  return {
    async recordSkipped(tenantNo, feed, skipped) {
      const rows = Object.entries(skipped).map(([reason, count]) => ({ reason, count }));
      await sql`
        INSERT INTO skipped_part AS s (tenant_no, feed, reason, count)
        SELECT ${tenantNo}::int, ${feed}::text, i.reason, i.count
        FROM jsonb_to_recordset(${jsonText(rows)}::jsonb) AS i(reason text, count bigint)
        WHERE (SELECT count(*) FROM skipped_part WHERE tenant_no = ${tenantNo}) < ${sql.lit(REASONS_KEPT)}
          OR EXISTS (SELECT 1 FROM skipped_part k
            WHERE k.tenant_no = ${tenantNo} AND k.feed = ${feed} AND k.reason = i.reason)
        ON CONFLICT (tenant_no, feed, reason) DO UPDATE SET count = s.count + excluded.count, last_at = now()`.execute(
        db,
      );
    },

    async skipped(tenantNo) {
      const rows = await db
        .selectFrom('skipped_part')
        .selectAll()
        .where('tenant_no', '=', tenantNo)
        .orderBy('last_at', 'desc')
        .orderBy('reason')
        .execute();
      return rows.map(({ feed, reason, count, last_at: lastAt }) => ({ feed, reason, count, lastAt }));
    },
  };
}
