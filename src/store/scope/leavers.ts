import { sql, type RawBuilder } from 'kysely';
import type { FencedRound } from '../fence.ts';
import type { Tx } from '../schema.ts';
import { groupsInScope, isAssigned, isUserInScope, type ScopeRow } from './in-scope.ts';

/**
 * At a round's end: stages whoever is mirrored and belongs there no more. What follows from the operator's own change
 * (`rescoped`) is worked out as if this round had removed nothing, so that the guard weighs the rest and only the rest.
 */
export async function stageLeavers(tx: Tx, round: FencedRound, scope: ScopeRow, held: boolean): Promise<void> {
  const { tenantNo } = round;
  const known = (!scope.leaving && round.kind === 'delta') || (await isKnown(tx, tenantNo));
  if (scope.leaving && known && (await mayLeave(tx, tenantNo, scope))) {
    await stageRescoped(tx, tenantNo, scope);
  }
  if (scope.nested && !scope.allGroups) await stageUnreachable(tx, tenantNo, scope);
  if (held) await cancelHeldGroups(tx, tenantNo, scope);
  await judgeUsers(tx, round, scope, { held, known });
}

/** Ends the operator's change where all who had to leave for it have been staged. */
export async function endLeaving(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  if (!scope.leaving || !(await isKnown(tx, tenantNo)) || !(await mayLeave(tx, tenantNo, scope))) return;
  await sql`UPDATE scope SET leaving = false WHERE tenant_no = ${tenantNo}`.execute(tx);
}

/** Whether nothing is still to be read that could keep somebody: groups to sync, all of their members, those of assigned groups. */
async function isKnown(tx: Tx, tenantNo: number): Promise<boolean> {
  const { rows } = await sql<{ unread: boolean }>`
    SELECT EXISTS (SELECT 1 FROM scope_assigned a WHERE a.tenant_no = ${tenantNo} AND NOT a.read)
      OR EXISTS (SELECT 1 FROM pick p WHERE p.tenant_no = ${tenantNo} AND p.why = 'due' AND p.feed = 'groups')
      OR EXISTS (SELECT 1 FROM scope_due d WHERE d.tenant_no = ${tenantNo} AND d.kind = 'group' AND NOT EXISTS (
        SELECT 1 FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id = d.object_id)) AS unread`.execute(tx);
  return rows[0]?.unread === false;
}

/** A list of groups of which none is there, or of the assigned that is empty, is rather a slip than an order to drop everybody. */
async function mayLeave(tx: Tx, tenantNo: number, { allGroups, assignedOnly }: ScopeRow): Promise<boolean> {
  const { rows } = await sql<{ groups: boolean; assigned: boolean }>`
    SELECT EXISTS (SELECT 1 FROM scope_group r JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = r.group_id
        WHERE r.tenant_no = ${tenantNo} AND g.deleted_at IS NULL) AS groups,
      EXISTS (SELECT 1 FROM scope_assignee a WHERE a.tenant_no = ${tenantNo}) AS assigned`.execute(tx);
  const found = rows[0] ?? { groups: false, assigned: false };
  return (allGroups || found.groups) && (!assignedOnly || found.assigned);
}

async function stageRescoped(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  if (!scope.allGroups) {
    await stage(
      tx,
      tenantNo,
      'group',
      'rescoped',
      sql`SELECT g.id FROM directory_group g WHERE g.tenant_no = ${tenantNo}
        AND g.id NOT IN (${groupsInScope(tenantNo, scope, 'as it stands')})`,
    );
  }
  await stage(
    tx,
    tenantNo,
    'user',
    'rescoped',
    sql`SELECT u.id FROM directory_user u
      WHERE u.tenant_no = ${tenantNo} AND NOT ${isUserInScope(tenantNo, { ...scope, assignedOnly: false }, 'as it stands')}`,
  );
  if (!scope.assignedOnly) return;
  // Of whom the list of the assigned has just said something else, that is the directory's doing.
  await stage(
    tx,
    tenantNo,
    'user',
    'rescoped',
    sql`${unassigned(tenantNo)} AND NOT EXISTS (
      SELECT 1 FROM scope_due d WHERE d.tenant_no = ${tenantNo} AND d.kind = 'user' AND d.object_id = u.id)`,
  );
}

const unassigned = (tenantNo: number): RawBuilder<unknown> => sql`
  SELECT u.id FROM directory_user u WHERE u.tenant_no = ${tenantNo} AND NOT ${isAssigned(tenantNo, sql`u.id`)}`;

/** A nested group whose last way to a group to sync ends, or is opened again. */
async function stageUnreachable(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  const { rows } = await sql<{ moved: boolean }>`
    SELECT EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = ${tenantNo} AND s.kind = 'group')
      OR EXISTS (SELECT 1 FROM scope_due d WHERE d.tenant_no = ${tenantNo} AND d.kind = 'group')
      OR EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = ${tenantNo} AND s.kind = 'membership'
        AND (SELECT m.member_type = 'group' FROM membership m WHERE m.tenant_no = ${tenantNo}
          AND m.group_id = s.object_id AND m.member_id = s.member_id)) AS moved`.execute(tx);
  if (rows[0]?.moved === false) return;
  const reached = groupsInScope(tenantNo, scope, 'as it will be');
  await stage(
    tx,
    tenantNo,
    'group',
    'scope',
    sql`SELECT g.id FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id NOT IN (${reached})`,
  );
  await unstage(tx, tenantNo, 'group', sql`${reached}`);
}

/** Groups that are held for having left the scope, and are in it again: it has changed, or a way to them is open again. */
async function cancelHeldGroups(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  const inScope = scope.allGroups
    ? sql`SELECT object_id FROM held_removal WHERE tenant_no = ${tenantNo} AND kind = 'group'`
    : groupsInScope(tenantNo, scope, 'once approved');
  await cancelHeld(tx, tenantNo, 'group', inScope);
}

/** Whoever something was said of, and whoever loses a membership with this round. */
async function judgeUsers(
  tx: Tx,
  { tenantNo, kind }: FencedRound,
  scope: ScopeRow,
  { held, known }: { readonly held: boolean; readonly known: boolean },
): Promise<void> {
  // Who is assigned is a list beside the feeds: a full round holds all of the mirror against it.
  const isListJudged = scope.assignedOnly && known && (kind === 'full' || scope.leaving);
  const touched = sql`
    SELECT object_id AS id FROM scope_due WHERE tenant_no = ${tenantNo} AND kind = 'user'
    UNION SELECT member_id FROM staged_removal WHERE tenant_no = ${tenantNo} AND kind = 'membership'
    UNION SELECT object_id FROM staged_removal WHERE tenant_no = ${tenantNo} AND kind = 'disable' AND ${!scope.disabled}
    UNION SELECT m.member_id FROM staged_removal s JOIN membership m ON m.tenant_no = ${tenantNo} AND m.group_id = s.object_id
    WHERE s.tenant_no = ${tenantNo} AND s.kind = 'group' AND m.member_type = 'user'
    ${held ? sql`UNION SELECT object_id FROM held_removal WHERE tenant_no = ${tenantNo} AND kind = 'user' AND cancelled` : sql``}
    ${isListJudged ? sql`UNION ${unassigned(tenantNo)}` : sql``}`;
  // OFFSET keeps the ids apart, each looked up by itself.
  const those = (ids: RawBuilder<unknown>, judged: RawBuilder<unknown>) => sql`
    SELECT u.id FROM (${ids}) AS t CROSS JOIN LATERAL (
      SELECT id, data FROM directory_user WHERE tenant_no = ${tenantNo} AND id = t.id OFFSET 0) u WHERE ${judged}`;
  const inScope = isUserInScope(tenantNo, scope, 'as it will be');
  await stage(tx, tenantNo, 'user', 'scope', those(touched, sql`NOT ${inScope}`));
  await unstage(tx, tenantNo, 'user', those(touched, inScope));
  if (!held) return;
  // The feed says no more than that a group is back: its members are held for its sake, and are so no longer.
  const released = sql`${touched}
    UNION SELECT member_id FROM held_removal WHERE tenant_no = ${tenantNo} AND kind = 'membership' AND cancelled
    UNION SELECT object_id FROM held_removal WHERE tenant_no = ${tenantNo} AND kind = 'disable' AND cancelled
    UNION SELECT m.member_id FROM held_removal h JOIN membership m ON m.tenant_no = ${tenantNo} AND m.group_id = h.object_id
    WHERE h.tenant_no = ${tenantNo} AND h.kind = 'group' AND h.cancelled AND m.member_type = 'user'
    UNION SELECT object_id FROM held_removal
    WHERE tenant_no = ${tenantNo} AND kind = 'user' AND reason = 'scope' AND ${scope.leaving}`;
  await cancelHeld(tx, tenantNo, 'user', those(released, isUserInScope(tenantNo, scope, 'once approved')));
}

/** The operator's word covers that of the directory; who only left the scope may be deleted as well, and that must not get lost. */
async function stage(
  tx: Tx,
  tenantNo: number,
  kind: 'user' | 'group',
  reason: 'scope' | 'rescoped',
  ids: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    INSERT INTO staged_removal AS s (tenant_no, kind, object_id, reason)
    SELECT ${tenantNo}::int, ${kind}::text, i.id, ${reason}::text FROM (${ids}) AS i(id)
    ON CONFLICT (tenant_no, kind, object_id, member_id) DO UPDATE SET reason = excluded.reason
    WHERE s.reason = 'changed' AND excluded.reason = 'rescoped'`.execute(tx);
}

/** Once it is known what is held: nothing of who leaves the scope is kept, not even of those who are soft-deleted as well. */
export async function keepNoneOutside(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  const toScope = (kind: 'user' | 'group', isOut: RawBuilder<unknown>) => sql`
    UPDATE staged_removal s SET reason = 'scope'
    WHERE s.tenant_no = ${tenantNo} AND s.kind = ${kind} AND s.reason = 'changed' AND ${isOut}`;
  if (scope.nested && !scope.allGroups) {
    await toScope('group', sql`s.object_id NOT IN (${groupsInScope(tenantNo, scope, 'as it will be')})`).execute(tx);
  }
  await toScope(
    'user',
    sql`(SELECT NOT ${isUserInScope(tenantNo, scope, 'as it will be')} FROM directory_user u
      WHERE u.tenant_no = ${tenantNo} AND u.id = s.object_id)`,
  ).execute(tx);
}

/** Whoever is in scope again is not about to leave it. */
async function unstage(tx: Tx, tenantNo: number, kind: 'user' | 'group', ids: RawBuilder<unknown>): Promise<void> {
  await sql`DELETE FROM staged_removal WHERE ctid = ANY (${leaving('staged_removal', tenantNo, kind, ids)})`.execute(
    tx,
  );
}

/** Nor held for it. */
async function cancelHeld(tx: Tx, tenantNo: number, kind: 'user' | 'group', ids: RawBuilder<unknown>): Promise<void> {
  await sql`
    UPDATE held_removal SET cancelled = true WHERE ctid = ANY (${leaving('held_removal', tenantNo, kind, ids)})`.execute(
    tx,
  );
}

const leaving = (
  table: 'staged_removal' | 'held_removal',
  tenantNo: number,
  kind: 'user' | 'group',
  ids: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`
  ARRAY(SELECT s.ctid FROM (${ids}) AS i(id) CROSS JOIN LATERAL (
    SELECT ctid FROM ${sql.table(table)} WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = i.id
      AND reason IN ('scope', 'rescoped') OFFSET 0) s)`;

/** After a first import, which tells nothing: a membership counts once its member is mirrored. */
export async function tellKnown(tx: Tx, tenantNo: number): Promise<void> {
  for (const kind of ['user', 'group']) {
    const known = sql`EXISTS (
      SELECT 1 FROM ${sql.table(`directory_${kind}`)} o WHERE o.tenant_no = ${tenantNo} AND o.id = m.member_id)`;
    await sql`
      UPDATE membership m SET told = ${known}
      WHERE m.tenant_no = ${tenantNo} AND m.member_type = ${kind} AND m.told <> ${known}`.execute(tx);
  }
}
