import { sql } from 'kysely';
import { jsonText } from './json-text.ts';
import type { Database, Tx } from './schema.ts';
import type { Fence, Skipping, SyncStore } from './face/sync.ts';

/** Reasons that are kept of one feed of a tenant: an unheard-of type in every object must not fill the table. */
const REASONS_KEPT = 100;

export const hasSkipped = ({ skipped = {} }: Skipping): boolean => Object.keys(skipped).length > 0;

/** Counts what was left out of a page, in its transaction: what guards the page must be held. */
export async function recordSkipped(
  tx: Tx,
  { tenantNo, feed }: Pick<Fence, 'tenantNo' | 'feed'>,
  { skipped = {} }: Skipping,
): Promise<void> {
  if (!hasSkipped({ skipped })) return;
  const rows = Object.entries(skipped).map(([reason, count]) => ({ reason, count }));
  const kept = sql`FROM skipped_part k WHERE k.tenant_no = ${tenantNo} AND k.feed = ${feed}`;
  await sql`
    INSERT INTO skipped_part AS s (tenant_no, feed, reason, count)
    SELECT ${tenantNo}::int, ${feed}::text, n.reason, n.count
    FROM (SELECT i.*, row_number() OVER (PARTITION BY i.known ORDER BY i.reason) AS place
      FROM (SELECT j.*, EXISTS (SELECT 1 ${kept} AND k.reason = j.reason) AS known
        FROM jsonb_to_recordset(${jsonText(rows)}::jsonb) AS j(reason text, count bigint)) i) n
    WHERE n.known OR n.place <= ${sql.lit(REASONS_KEPT)} - (SELECT count(*) ${kept})
    -- Rounds and comparisons count side by side.
    ORDER BY n.reason
    ON CONFLICT (tenant_no, feed, reason) DO UPDATE SET count = s.count + excluded.count, last_at = now()`.execute(tx);
}

export function createSkipped(db: Database): Pick<SyncStore, 'skipped'> {
  return {
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
