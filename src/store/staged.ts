import { sql } from 'kysely';
import type { FoldedPage } from '../domain/delta.ts';
import type { ObjectKind } from '../domain/directory.ts';
import { arrayText } from './memberships.ts';
import type { Tx } from './schema.ts';

/**
 * Takes out what the page takes back: removed objects and memberships that are there again, accounts enabled again. To be
 * there says nothing against leaving the scope. Returns the objects that are there again.
 */
export async function unstage(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  page: FoldedPage,
  from: 'staged_removal' | 'held_removal' = 'staged_removal',
): Promise<readonly string[]> {
  // A later page of the round may say the opposite again: what is staged is then staged anew, what is held stays held.
  const undo =
    from === 'staged_removal' ? sql`DELETE FROM staged_removal s` : sql`UPDATE held_removal s SET cancelled = true`;
  const against = from === 'staged_removal' ? sql`USING` : sql`FROM`;
  const present = page.objects.filter((object) => object.present).map((object) => object.id);
  const again: (readonly [string, readonly string[]])[] = [[kind, present]];
  if (kind === 'user') {
    const enabled = page.objects.filter(
      ({ data, cleared }) =>
        cleared.includes('accountEnabled') || ('accountEnabled' in data && data['accountEnabled'] !== false),
    );
    again.push(['disable', enabled.map((object) => object.id)]);
  }
  const stands = from === 'held_removal' ? sql`AND NOT s.cancelled` : sql``;
  const back: string[] = [];
  for (const [staged, ids] of again) {
    if (ids.length === 0) continue;
    const { rows } = await sql<{ id: string }>`
      ${undo}
      WHERE s.tenant_no = ${tenantNo} AND s.kind = ${staged} AND s.reason NOT IN ('scope', 'rescoped') AND s.object_id = ANY(${arrayText(ids)}::uuid[])
        ${stands}
      RETURNING s.object_id AS id`.execute(tx);
    if (staged === kind) back.push(...rows.map(({ id }) => id));
  }
  if (page.joined.length === 0) return back;
  await sql`
    ${undo}
    ${against} unnest(${arrayText(page.joined.map((m) => m.groupId))}::uuid[],
      ${arrayText(page.joined.map((m) => m.memberId))}::uuid[]) AS i(group_id, member_id)
    WHERE s.tenant_no = ${tenantNo} AND s.kind = 'membership' AND s.object_id = i.group_id AND s.member_id = i.member_id`.execute(
    tx,
  );
  return back;
}

/** Removed objects wait for the end of the round. */
export async function stageObjects(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  removed: FoldedPage['removed'],
): Promise<void> {
  await sql`
    INSERT INTO staged_removal AS s (tenant_no, kind, object_id, reason)
    SELECT ${tenantNo}::int, ${kind}::text, id, reason
    FROM unnest(${arrayText(removed.map(({ id }) => id))}::uuid[],
      ${arrayText(removed.map(({ reason }) => reason))}::text[]) AS i(id, reason)
    ON CONFLICT (tenant_no, kind, object_id, member_id) DO UPDATE SET reason = excluded.reason
    WHERE s.reason <> 'deleted' AND excluded.reason = 'deleted'`.execute(tx);
}

/** Memberships that ended wait likewise, those of them that there are. */
export async function stageMemberships(tx: Tx, tenantNo: number, left: FoldedPage['left']): Promise<void> {
  await sql`
    INSERT INTO staged_removal (tenant_no, kind, object_id, member_id, reason)
    SELECT m.tenant_no, 'membership', m.group_id, m.member_id, 'deleted'
    FROM unnest(${arrayText(left.map((m) => m.groupId))}::uuid[],
      ${arrayText(left.map((m) => m.memberId))}::uuid[]) AS i(group_id, member_id)
    JOIN membership m ON m.tenant_no = ${tenantNo} AND m.group_id = i.group_id AND m.member_id = i.member_id
    ON CONFLICT DO NOTHING`.execute(tx);
}
