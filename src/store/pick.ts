import { sql } from 'kysely';
import type { Feed } from '../domain/directory.ts';
import type { FencedRound } from './fence.ts';
import { jsonText } from './json-text.ts';
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

/** Moves on to the next page, in the transaction of the one before it. */
export async function advancePick(
  tx: Tx,
  { tenantNo, id }: FencedRound,
  feed: Feed,
  { why, ids }: WantedObjects,
  { nextLink }: PickedPage,
): Promise<void> {
  if (nextLink === undefined) return dropPick(tx, tenantNo, why);
  await sql`
    INSERT INTO pick (tenant_no, why, round_id, feed, ids, next_link)
    VALUES (${tenantNo}, ${why}, ${id}, ${feed}, ${jsonText(ids)}::jsonb, ${nextLink})
    ON CONFLICT (tenant_no, why) DO UPDATE SET round_id = excluded.round_id, feed = excluded.feed, ids = excluded.ids,
      next_link = excluded.next_link`.execute(tx);
}

export async function dropPick(tx: Tx, tenantNo: number, why: WantedObjects['why']): Promise<void> {
  await sql`DELETE FROM pick WHERE tenant_no = ${tenantNo} AND why = ${why}`.execute(tx);
}
