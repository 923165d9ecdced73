import { sql, type RawBuilder } from 'kysely';
import type { FencedRound } from '../fence.ts';
import type { Tx } from '../schema.ts';
import { groupsInScope, isUserInScope, type ScopeRow } from './in-scope.ts';

/**
 * At a round's end: stages whoever is mirrored and belongs there no more. What follows from the operator's own change
 * (`rescoped`) is worked out as if this round had removed nothing, so that the guard weighs the rest and only the rest.
 */
export async function stageLeavers(tx: Tx, { tenantNo }: FencedRound, scope: ScopeRow): Promise<void> {
  if (scope.leaving && (await mayLeave(tx, tenantNo, scope))) {
    await stageRescoped(tx, tenantNo, scope);
  }
  if (scope.nested && !scope.allGroups) await stageUnreachable(tx, tenantNo, scope);
  await judgeUsers(tx, tenantNo, scope);
}

/** A list of groups of which none was ever found is rather a slip than an order to drop everybody. */
export async function mayLeave(tx: Tx, tenantNo: number, { allGroups }: ScopeRow): Promise<boolean> {
  if (allGroups) return true;
  const { rows } = await sql`
    SELECT 1 FROM scope_group r JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = r.group_id
    WHERE r.tenant_no = ${tenantNo} LIMIT 1`.execute(tx);
  return rows.length > 0;
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
      WHERE u.tenant_no = ${tenantNo} AND NOT ${isUserInScope(tenantNo, scope, 'as it stands')}`,
  );
}

/** A nested group whose last way to a group to sync ends, or is opened again. */
async function stageUnreachable(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  const { rows } = await sql<{ moved: boolean }>`
    SELECT EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = ${tenantNo} AND s.kind = 'group')
      OR EXISTS (SELECT 1 FROM scope_due d WHERE d.tenant_no = ${tenantNo} AND d.kind = 'group')
      OR EXISTS (SELECT 1 FROM staged_removal s JOIN membership m ON m.tenant_no = ${tenantNo}
        AND m.group_id = s.object_id AND m.member_id = s.member_id AND m.member_type = 'group'
        WHERE s.tenant_no = ${tenantNo} AND s.kind = 'membership') AS moved`.execute(tx);
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

/** Whoever something was said of, and whoever loses a membership with this round. */
async function judgeUsers(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  const touched = sql`
    SELECT object_id AS id FROM scope_due WHERE tenant_no = ${tenantNo} AND kind = 'user'
    UNION SELECT member_id FROM staged_removal WHERE tenant_no = ${tenantNo} AND kind = 'membership'
    UNION SELECT object_id FROM staged_removal WHERE tenant_no = ${tenantNo} AND kind = 'disable' AND ${!scope.disabled}
    UNION SELECT m.member_id FROM staged_removal s JOIN membership m ON m.tenant_no = ${tenantNo} AND m.group_id = s.object_id
    WHERE s.tenant_no = ${tenantNo} AND s.kind = 'group' AND m.member_type = 'user'`;
  const inScope = isUserInScope(tenantNo, scope, 'as it will be');
  const those = (judged: RawBuilder<unknown>) => sql`
    SELECT u.id FROM (${touched}) AS t JOIN directory_user u ON u.tenant_no = ${tenantNo} AND u.id = t.id WHERE ${judged}`;
  await stage(tx, tenantNo, 'user', 'scope', those(sql`NOT ${inScope}`));
  await unstage(tx, tenantNo, 'user', those(inScope));
}

/** Nothing of who leaves the scope is kept, not even of those who are soft-deleted as well. */
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
    WHERE s.reason = 'changed'`.execute(tx);
}

/** Whoever is in scope again is neither about to leave nor held for it. */
async function unstage(tx: Tx, tenantNo: number, kind: 'user' | 'group', ids: RawBuilder<unknown>): Promise<void> {
  const those = sql`s.tenant_no = ${tenantNo} AND s.kind = ${kind} AND s.reason IN ('scope', 'rescoped')
    AND s.object_id IN (SELECT i.id FROM (${ids}) AS i(id))`;
  await sql`DELETE FROM staged_removal s WHERE ${those}`.execute(tx);
  await sql`UPDATE held_removal s SET cancelled = true WHERE ${those}`.execute(tx);
}

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
