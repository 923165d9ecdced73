import { sql, type RawBuilder } from 'kysely';
import type { FoldedObject } from '../domain/delta.ts';
import { ALWAYS_SET, type Feed, FEEDS, KIND_OF, type ObjectKind } from '../domain/directory.ts';
import { arrayText } from './memberships.ts';
import { dropPick, openPick } from './pick.ts';
import type { Tx } from './schema.ts';
import type { WantedObjects } from './face/sync.ts';

/** Where Graph gives no answer for so long, the part stays as it is until a reconcile. */
const ASKED_FOR_MS = 60 * 60_000;

const isAskedFor = sql`noted_at > now() - ${sql.lit(ASKED_FOR_MS)} * interval '1 millisecond'`;

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
    ON CONFLICT (tenant_no, kind, object_id) DO UPDATE SET noted_at = excluded.noted_at`.execute(tx);
  return true;
}

/** Some of those that are to be asked for whole, groups first: their members are then known. */
export async function partialObjects(
  tx: Tx,
  tenantNo: number,
  limit: number,
  only: Feed | undefined,
): Promise<WantedObjects | undefined> {
  const begun = await openPick(tx, tenantNo, ['partial']);
  if (begun && (only === undefined || begun.feed === only)) return begun;
  const { rows } = await sql<{ kind: ObjectKind; id: string }>`
    SELECT kind, object_id AS id FROM partial_object
    WHERE tenant_no = ${tenantNo} AND ${isAskedFor} AND kind = ANY(${(only ? [only] : FEEDS).map((feed) => KIND_OF[feed])}::text[])
    ORDER BY kind, object_id LIMIT ${limit}`.execute(tx);
  const kind = rows[0]?.kind;
  if (kind === undefined) return undefined;
  return { feed: `${kind}s`, ids: rows.filter((row) => row.kind === kind).map(({ id }) => id), why: 'partial' };
}

/** They were asked for: whole by now, or not to be had. */
export async function dropPartial(tx: Tx, tenantNo: number, { feed, ids, why }: WantedObjects): Promise<void> {
  await dropPick(tx, tenantNo, why);
  await sql`
    DELETE FROM partial_object
    WHERE tenant_no = ${tenantNo} AND kind = ${KIND_OF[feed]} AND object_id = ANY(${arrayText(ids)}::uuid[])`.execute(
    tx,
  );
}
