import { sql, type RawBuilder } from 'kysely';
import type { FoldedObject } from '../domain/delta.ts';
import { ALWAYS_SET, type Feed, FEEDS, KIND_OF, type ObjectKind } from '../domain/directory.ts';
import { READS_LAG_AT_MOST_MS } from '../domain/restored.ts';
import type { FencedRound } from './fence.ts';
import { arrayText } from './memberships.ts';
import { OBJECT_TABLE } from './objects.ts';
import { dropPick, openPick } from './pick.ts';
import type { Tx } from './schema.ts';
import type { WantedObjects } from './face/sync.ts';

/** Where Graph gives no answer for longer, the part stays as it is until a reconcile. */
export const isAskedFor = sql`noted_at > now() - ${sql.lit(READS_LAG_AT_MOST_MS)} * interval '1 millisecond'`;

/** Whether something of a tenant is to be asked for whole. */
export const hasPartial = (tenantNo: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`EXISTS (SELECT 1 FROM partial_object p WHERE p.tenant_no = ${tenantNo} AND p.${isAskedFor})`;

/**
 * Notes of what a page of a delta round makes known, or takes back from a removal, that of which only a part is told; returns
 * whether there is any. Of what is back the mirror has the rest, but what changed before it went was told as the removal alone.
 */
export async function notePartial(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  news: readonly string[],
  told: readonly FoldedObject[],
): Promise<boolean> {
  if (news.length === 0) return false;
  const ids = new Set(news);
  const partial = told.filter(
    ({ id, data, cleared }) =>
      ids.has(id) && ALWAYS_SET[kind].some((name) => !(name in data || cleared.includes(name))),
  );
  if (partial.length === 0) return false;
  await sql`
    INSERT INTO partial_object (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, unnest(${arrayText(partial.map(({ id }) => id))}::uuid[])
    ON CONFLICT (tenant_no, kind, object_id) DO UPDATE SET noted_at = excluded.noted_at, asked_in = NULL, shown = false,
      told = excluded.told, gone = excluded.gone`.execute(tx);
  return true;
}

/**
 * Some of those that are to be asked for whole, groups first: their members are then known. Of whoever is gone by the feed's
 * word, or is going, a read that is older than that would only say the opposite.
 */
export async function partialObjects(
  tx: Tx,
  { tenantNo, id: roundId }: FencedRound,
  limit: number,
  only: Feed | undefined,
): Promise<WantedObjects | undefined> {
  const begun = await openPick(tx, tenantNo, ['partial']);
  // In another round they may be gone.
  if (begun?.link !== undefined && (only === undefined || begun.feed === only)) return begun;
  const isLive = (table: RawBuilder<unknown>) => sql`
    EXISTS (SELECT 1 FROM ${table} o WHERE o.tenant_no = ${tenantNo} AND o.id = p.object_id AND o.deleted_at IS NULL)`;
  const isGoing = (table: 'staged_removal' | 'held_removal', stands = sql``) => sql`
    EXISTS (SELECT 1 FROM ${sql.table(table)} s WHERE s.tenant_no = ${tenantNo} AND s.kind = p.kind
      AND s.object_id = p.object_id AND s.reason NOT IN ('scope', 'rescoped') ${stands})`;
  const { rows } = await sql<{ kind: ObjectKind; id: string }>`
    SELECT p.kind, p.object_id AS id FROM partial_object p
    WHERE p.tenant_no = ${tenantNo} AND p.${isAskedFor} AND p.asked_in IS DISTINCT FROM ${roundId}
      AND p.kind = ANY(${(only ? [only] : FEEDS).map((feed) => KIND_OF[feed])}::text[])
      AND CASE p.kind WHEN 'user' THEN ${isLive(OBJECT_TABLE.user)} ELSE ${isLive(OBJECT_TABLE.group)} END
      AND NOT ${isGoing('staged_removal')} AND NOT ${isGoing('held_removal', sql`AND NOT s.cancelled`)}
    ORDER BY p.kind, p.object_id LIMIT ${limit}`.execute(tx);
  const kind = rows[0]?.kind;
  if (kind === undefined) return undefined;
  return { feed: `${kind}s`, ids: rows.filter((row) => row.kind === kind).map(({ id }) => id), why: 'partial' };
}

/** What pages show is whole after the last of them. What none shows may not be there yet: the next round asks for it again. */
export async function partialShown(
  tx: Tx,
  { tenantNo, id: roundId }: FencedRound,
  { feed, ids }: WantedObjects,
  shown: readonly FoldedObject[],
  isLast: boolean,
): Promise<void> {
  const those = (some: readonly string[]) => sql`
    tenant_no = ${tenantNo} AND kind = ${KIND_OF[feed]} AND object_id = ANY(${arrayText(some)}::uuid[])`;
  await sql`UPDATE partial_object SET shown = true WHERE ${those(shown.map(({ id }) => id))}`.execute(tx);
  if (!isLast) return;
  await sql`DELETE FROM partial_object WHERE ${those(ids)} AND shown`.execute(tx);
  await sql`UPDATE partial_object SET asked_in = ${roundId} WHERE ${those(ids)}`.execute(tx);
}

/** They were asked for: what was refused is not to be had. */
export async function dropPartial(
  tx: Tx,
  { tenantNo, id: roundId }: FencedRound,
  { feed, ids, why }: WantedObjects,
): Promise<void> {
  await dropPick(tx, tenantNo, why);
  await sql`
    DELETE FROM partial_object
    WHERE tenant_no = ${tenantNo} AND kind = ${KIND_OF[feed]} AND object_id = ANY(${arrayText(ids)}::uuid[])
      AND asked_in IS DISTINCT FROM ${roundId}`.execute(tx);
}
