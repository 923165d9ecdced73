import { sql, type RawBuilder } from 'kysely';
import { type Feed, KIND_OF } from '../../domain/directory.ts';
import { READS_LAG_AT_MOST_MS } from '../../domain/restored.ts';
import type { FencedRound } from '../fence.ts';
import { arrayText } from '../memberships.ts';
import { OBJECT_TABLE } from '../objects.ts';
import type { Tx } from '../schema.ts';
import type { WantedObjects } from '../face/sync.ts';

/** Of the row `d`: whom Graph shows to no read for longer is asked for no more, until something is said of them again. */
export const IS_ASKED_FOR = sql`(d.missed_at > now() - ${sql.lit(READS_LAG_AT_MOST_MS)} * interval '1 millisecond')`;

const isMirrored = (tenantNo: number, feed: Feed): RawBuilder<unknown> => sql`
  EXISTS (SELECT 1 FROM ${OBJECT_TABLE[KIND_OF[feed]]} o WHERE o.tenant_no = ${tenantNo} AND o.id = d.object_id)`;

/** Some of a feed that an earlier round asked for, and no read has shown yet. */
export async function missedObjects(
  tx: Tx,
  { tenantNo, id: roundId }: FencedRound,
  feed: Feed,
  isWanted: RawBuilder<unknown>,
  limit: number,
): Promise<WantedObjects | undefined> {
  const { rows } = await sql<{ id: string }>`
    SELECT d.object_id AS id FROM scope_missed d
    WHERE d.tenant_no = ${tenantNo} AND d.kind = ${KIND_OF[feed]} AND d.asked_in <> ${roundId} AND ${IS_ASKED_FOR}
      AND NOT ${isMirrored(tenantNo, feed)} AND ${isWanted}
    ORDER BY d.object_id LIMIT ${limit}`.execute(tx);
  return rows.length > 0 ? { feed, ids: rows.map(({ id }) => id), why: 'due' } : undefined;
}

/** After a question for those: who is not shown waits for the next round, and who is at last is judged at this one's end. */
export async function noteMissed(
  tx: Tx,
  { tenantNo, id: roundId }: FencedRound,
  feed: Feed,
  ids: readonly string[],
): Promise<void> {
  const those = sql`
    d.tenant_no = ${tenantNo} AND d.kind = ${KIND_OF[feed]} AND d.object_id = ANY(${arrayText(ids)}::uuid[])`;
  await sql`UPDATE scope_missed d SET asked_in = ${roundId} WHERE ${those}`.execute(tx);
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT d.tenant_no, d.kind, d.object_id FROM scope_missed d WHERE ${those} AND ${isMirrored(tenantNo, feed)}
    ON CONFLICT DO NOTHING`.execute(tx);
  const isGone = sql`EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = ${tenantNo} AND s.kind = missed.kind
    AND s.object_id = missed.object_id AND s.reason NOT IN ('scope', 'rescoped'))`;
  // Whoever was noted since has been spoken of: their hour begins. A group to sync by its id is noted in each round anyway.
  await sql`
    WITH missed AS (DELETE FROM scope_due d WHERE ${those} AND NOT ${isMirrored(tenantNo, feed)} RETURNING d.*)
    INSERT INTO scope_missed (tenant_no, kind, object_id, asked_in)
    SELECT tenant_no, kind, object_id, ${roundId}::text FROM missed
    WHERE NOT ${isGone} AND (kind = 'user' OR NOT EXISTS (
      SELECT 1 FROM scope_group r WHERE r.tenant_no = ${tenantNo} AND r.group_id = missed.object_id))
    ON CONFLICT (tenant_no, kind, object_id) DO UPDATE SET asked_in = excluded.asked_in, missed_at = excluded.missed_at`.execute(
    tx,
  );
}
