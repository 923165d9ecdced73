import { sql } from 'kysely';
import type { Membership } from '../domain/directory.ts';
import type { MembershipRow } from './changes.ts';
import type { FencedRound } from './fence.ts';
import { awaitsLook } from './kept.ts';
import type { Tx } from './schema.ts';

/** An array as PostgreSQL writes it, for values without special characters; far cheaper than escaping each. */
export const arrayText = (values: readonly string[]): string => `{${values.join(',')}}`;

/**
 * Inserts the memberships of a page. In a round that tells its changes one whose member is not mirrored yet stays untold,
 * and what is told and visible by now is returned; in a quiet one only the number.
 */
export async function writeMemberships(
  tx: Tx,
  round: FencedRound,
  joined: readonly Membership[],
): Promise<{ readonly written: number; readonly visible: readonly MembershipRow[] }> {
  const { tenantNo } = round;
  const seen = round.marks
    ? sql`seen AS (
        INSERT INTO round_mark (tenant_no, kind, object_id, member_id)
        SELECT ${tenantNo}::int, 'membership', group_id, member_id FROM input ON CONFLICT DO NOTHING
      ),`
    : sql``;
  const told = round.quiet
    ? sql`true`
    : sql`CASE member_type
        WHEN 'user' THEN (SELECT true FROM directory_user o WHERE o.tenant_no = ${tenantNo} AND o.id = member_id)
        WHEN 'group' THEN (SELECT true FROM directory_group o WHERE o.tenant_no = ${tenantNo} AND o.id = member_id)
        ELSE true END IS NOT NULL`;
  const { rows } = await sql<(MembershipRow & { told: boolean }) | { written: number }>`
    WITH input AS ${round.marks ? sql`MATERIALIZED` : sql``} (
      SELECT * FROM unnest(${arrayText(joined.map((m) => m.groupId))}::uuid[],
        ${arrayText(joined.map((m) => m.memberId))}::uuid[],
        ${arrayText(joined.map((m) => m.memberType))}::text[]) AS i(group_id, member_id, member_type)
    ), ${seen} written AS (
      INSERT INTO membership (tenant_no, group_id, member_id, member_type, told)
      SELECT ${tenantNo}::int, group_id, member_id, member_type, ${told} FROM input
      ON CONFLICT DO NOTHING
      RETURNING group_id, member_id, member_type, told
    ) ${round.quiet ? sql`SELECT count(*) AS written FROM written` : sql`SELECT * FROM written`}`.execute(tx);
  const inserted = rows.filter((row) => 'told' in row);
  const written = inserted.length + rows.reduce((sum, row) => ('written' in row ? sum + row.written : sum), 0);
  return {
    written,
    visible: await onlyVisible(
      tx,
      tenantNo,
      inserted.filter((row) => row.told),
    ),
  };
}

/** Of some memberships those that can be seen; a statement of its own, since one cannot see what it wrote itself. */
export async function onlyVisible<Row extends MembershipRow>(
  tx: Tx,
  tenantNo: number,
  memberships: readonly Row[],
): Promise<readonly Row[]> {
  if (memberships.length === 0) return [];
  const { rows } = await sql<{ n: number }>`
    SELECT i.n FROM unnest(${arrayText(memberships.map((m) => m.group_id))}::uuid[],
      ${arrayText(memberships.map((m) => m.member_id))}::uuid[]) WITH ORDINALITY AS i(group_id, member_id, n)
    WHERE (SELECT true FROM visible_membership v
      WHERE v.tenant_no = ${tenantNo} AND v.group_id = i.group_id AND v.member_id = i.member_id)
    ORDER BY i.n`.execute(tx);
  return rows.flatMap(({ n }) => memberships[n - 1] ?? []);
}

/** Tells the memberships that waited for these members to be known; returns those that this makes visible. */
export async function tellWaiting(
  tx: Tx,
  tenantNo: number,
  members: readonly string[],
): Promise<readonly MembershipRow[]> {
  if (members.length === 0) return [];
  const { rows } = await sql<MembershipRow>`
    UPDATE membership m SET told = true
    WHERE tenant_no = ${tenantNo} AND member_id = ANY(${arrayText(members)}::uuid[]) AND NOT told
      AND NOT ${awaitsLook(tenantNo)}
    RETURNING group_id, member_id, member_type`.execute(tx);
  return onlyVisible(tx, tenantNo, rows);
}

/** Visible memberships that have one of these objects as group or as member. */
export async function visibleAround(
  tx: Tx,
  tenantNo: number,
  ids: readonly string[],
): Promise<readonly MembershipRow[]> {
  if (ids.length === 0) return [];
  const around = sql`unnest(${arrayText(ids)}::uuid[]) AS i(id)`;
  // OFFSET keeps the ids apart, each looked up by itself.
  const { rows } = await sql<MembershipRow>`
    SELECT v.* FROM ${around} CROSS JOIN LATERAL (SELECT group_id, member_id, member_type FROM visible_membership
      WHERE tenant_no = ${tenantNo} AND group_id = i.id OFFSET 0) v
    UNION
    SELECT v.* FROM ${around} CROSS JOIN LATERAL (SELECT group_id, member_id, member_type FROM visible_membership
      WHERE tenant_no = ${tenantNo} AND member_id = i.id OFFSET 0) v
    ORDER BY group_id, member_id`.execute(tx);
  return rows;
}
