import { sql, type RawBuilder } from 'kysely';
import type { FoldedObject, FoldedPage } from '../domain/delta.ts';
import type { ObjectKind } from '../domain/directory.ts';
import { jsonText } from './json-text.ts';
import { arrayText } from './memberships.ts';
import { isAskedFor } from './partial.ts';
import type { Tx } from './schema.ts';

/*
 * A read of the whole may be older than what the feed says of an object before it. What the feed told since the object was
 * noted stands in the mirror, set or cleared; only names are kept beside it, and members of whom the mirror has nothing more.
 */

interface Told {
  readonly id: string;
  readonly told: readonly string[];
  readonly gone: readonly string[];
}

/** Remembers what a page of the feed says of what is to be asked for whole. */
export async function hearOfPartial(tx: Tx, tenantNo: number, kind: ObjectKind, page: FoldedPage): Promise<void> {
  const noted = new Set((await toldOf(tx, tenantNo, kind, page.objects)).map(({ id }) => id));
  if (noted.size === 0) return;
  const membersOf = (changes: FoldedPage['left'], id: string) =>
    changes.flatMap(({ groupId, memberId }) => (groupId === id ? [memberId] : []));
  const words = page.objects
    .filter(({ id }) => noted.has(id))
    .map(({ id, data, cleared }) => ({
      id,
      told: [...Object.keys(data), ...cleared],
      joined: membersOf(page.joined, id),
      gone: membersOf(page.left, id),
    }));
  await sql`
    UPDATE partial_object p SET told = ARRAY(SELECT unnest(p.told) UNION SELECT unnest(i.told)),
      gone = ARRAY((SELECT unnest(p.gone) EXCEPT SELECT unnest(i.joined)) UNION SELECT unnest(i.gone))
    FROM jsonb_to_recordset(${jsonText(words)}::jsonb) AS i(id uuid, told text[], joined uuid[], gone uuid[])
    WHERE p.tenant_no = ${tenantNo} AND p.kind = ${kind} AND p.object_id = i.id`.execute(tx);
}

/** Of what a read says that of which the feed has not spoken: neither who is gone nor who left is the read's to say. */
export async function withoutTold(tx: Tx, tenantNo: number, kind: ObjectKind, page: FoldedPage): Promise<FoldedPage> {
  const rows = await toldOf(tx, tenantNo, kind, [...page.objects, ...page.removed]);
  if (rows.length === 0) return page;
  const byId = new Map(rows.map((row) => [row.id, row]));
  return {
    objects: page.objects.map((object) => without(object, byId.get(object.id)?.told ?? [])),
    removed: page.removed.filter(({ id }) => !byId.has(id)),
    joined: page.joined.filter(({ groupId, memberId }) => !byId.get(groupId)?.gone.includes(memberId)),
    left: page.left.filter(({ groupId }) => !byId.has(groupId)),
  };
}

function without(object: FoldedObject, told: readonly string[]): FoldedObject {
  if (told.length === 0) return object;
  const { data, cleared } = object;
  return {
    ...object,
    data: Object.fromEntries(Object.entries(data).filter(([name]) => !told.includes(name))),
    cleared: cleared.filter((name) => !told.includes(name)),
    kept: told,
  };
}

async function toldOf(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  objects: readonly { readonly id: string }[],
): Promise<readonly Told[]> {
  const ids: RawBuilder<unknown> = sql`${arrayText(objects.map(({ id }) => id))}::uuid[]`;
  const { rows } = await sql<Told>`
    SELECT p.object_id AS id, p.told, to_jsonb(p.gone) AS gone FROM partial_object p
    WHERE p.tenant_no = ${tenantNo} AND p.kind = ${kind} AND p.object_id = ANY(${ids}) AND p.${isAskedFor}`.execute(tx);
  return rows;
}
