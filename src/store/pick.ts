import { sql } from 'kysely';
import type { Feed } from '../domain/directory.ts';
import type { FencedRound } from './fence.ts';
import { jsonText } from './json-text.ts';
import { BARREN_PAGES, hashOf, isAnchored, isOverlong } from './leads-nowhere.ts';
import type { Database, Tx } from './schema.ts';
import type { PickedPage, WantedObjects } from './face/sync.ts';

/**
 * What is being read by id, for one of these reasons, and was not read to its end: a group may be larger than a slice. Pages
 * of different rounds do not fit together, so in another one it begins anew.
 */
export async function openPick(
  db: Database,
  tenantNo: number,
  whys: readonly WantedObjects['why'][],
): Promise<WantedObjects | undefined> {
  const { rows } = await sql<Omit<WantedObjects, 'link'> & { link: string | null }>`
    SELECT p.why, p.feed, p.ids, CASE WHEN p.round_id = r.id THEN p.next_link END AS link
    FROM pick p JOIN round r ON r.tenant_no = p.tenant_no
    WHERE p.tenant_no = ${tenantNo} AND p.why = ANY(${[...whys]}::text[]) ORDER BY p.why LIMIT 1`.execute(db);
  const [row] = rows;
  return row && { ...row, link: row.link ?? undefined };
}

/** Moves on to the next page, in the transaction of the one before it; returns whether that leads nowhere. */
export async function advancePick(
  tx: Tx,
  { tenantNo, id }: FencedRound,
  feed: Feed,
  { why, ids, link }: WantedObjects,
  { nextLink }: PickedPage,
  isNews: boolean,
): Promise<boolean> {
  if (nextLink === undefined) {
    await dropPick(tx, tenantNo, why);
    return false;
  }
  const hash = hashOf(nextLink);
  const { rows } = await sql<{ circles: boolean | null; barren: number }>`
    WITH before AS (
      SELECT coalesce(p.pages, 0) AS pages, coalesce(p.barren, 0) AS barren, p.anchor, c.full_pages FROM checkpoint c
      LEFT JOIN pick p ON p.tenant_no = c.tenant_no AND p.why = ${why} AND ${link !== undefined}
      WHERE c.tenant_no = ${tenantNo} AND c.feed = ${feed}
    )
    INSERT INTO pick (tenant_no, why, round_id, feed, ids, next_link, pages, barren, anchor)
    SELECT ${tenantNo}::int, ${why}::text, ${id}::text, ${feed}::text, ${jsonText(ids)}::jsonb, ${nextLink}::text, b.pages + 1,
      CASE WHEN ${isNews} OR NOT (${isOverlong(sql`b.pages`, sql`b.full_pages`)}) THEN 0 ELSE b.barren + 1 END,
      CASE WHEN ${isAnchored(sql`b.pages`, 1)} THEN ${hash} ELSE b.anchor END
    FROM before b
    ON CONFLICT (tenant_no, why) DO UPDATE SET round_id = excluded.round_id, feed = excluded.feed, ids = excluded.ids,
      next_link = excluded.next_link, pages = excluded.pages, barren = excluded.barren, anchor = excluded.anchor
    RETURNING (SELECT b.anchor = ${hash} FROM before b) AS circles, barren`.execute(tx);
  return rows.some(({ circles, barren }) => circles === true || barren >= BARREN_PAGES);
}

export async function dropPick(tx: Tx, tenantNo: number, why: WantedObjects['why']): Promise<void> {
  await sql`DELETE FROM pick WHERE tenant_no = ${tenantNo} AND why = ${why}`.execute(tx);
}
