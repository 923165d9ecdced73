import { sql, type RawBuilder } from 'kysely';
import type { RoundKind } from '../../domain/activities.ts';
import { isWhole, type GroupCandidate, type ScopeGroup } from '../../domain/scope.ts';
import { fenced } from '../fence.ts';
import type { Database, Tx } from '../schema.ts';
import type { SyncStore } from '../face/sync.ts';
import { addDue, dropSettled } from './due.ts';
import { type ScopeRow, scopeColumn } from './in-scope.ts';
import { endLeaving } from './leavers.ts';

/** An entry stands as long as a live group of its id is mirrored. */
const isFound = (tenantNo: RawBuilder<unknown>) => sql`
  EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id = r.group_id AND g.deleted_at IS NULL)`;

export function createScopeGroups(db: Database): Pick<SyncStore, 'unresolvedGroups' | 'groupFound'> {
  return {
    unresolvedGroups: (fences) => fenced(db, fences, (tx, { tenantNo }) => beginScope(tx, tenantNo)),
    groupFound: (fences, entry, found) => fenced(db, fences, (tx, { tenantNo }) => settle(tx, tenantNo, entry, found)),
  };
}

/** Entries by name that fit no mirrored group. Groups that are known by their id alone are noted to be asked for. */
async function beginScope(tx: Tx, tenantNo: number): Promise<readonly string[]> {
  const { rows } = await sql<{ scope: ScopeRow | null }>`
    SELECT ${scopeColumn(sql`${tenantNo}::int`)} AS scope`.execute(tx);
  const scope = rows[0]?.scope;
  if (!scope) return [];
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT DISTINCT r.tenant_no, 'group', r.group_id FROM scope_group r
    WHERE r.tenant_no = ${tenantNo} AND r.group_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id = r.group_id)
    ON CONFLICT DO NOTHING`.execute(tx);
  if (scope.entering) await noteEnterers(tx, tenantNo, scope);
  const { rows: unresolved } = await sql<{ entry: string }>`
    SELECT r.entry FROM scope_group r
    WHERE r.tenant_no = ${tenantNo} AND NOT ${isFound(sql`${tenantNo}::int`)}
      AND r.group_id::text IS DISTINCT FROM lower(r.entry)
    ORDER BY r.entry`.execute(tx);
  return unresolved.map(({ entry }) => entry);
}

/** Whom a change of the scope may let in, as far as the mirror knows their ids. */
async function noteEnterers(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  const members = (kind: 'user' | 'group') => sql`
    SELECT DISTINCT m.tenant_no, ${kind}::text, m.member_id FROM membership m
    WHERE m.tenant_no = ${tenantNo} AND m.member_type = ${kind} AND NOT EXISTS (
      SELECT 1 FROM ${sql.table(`directory_${kind}`)} o WHERE o.tenant_no = ${tenantNo} AND o.id = m.member_id)`;
  const noted = [members('user')];
  if (scope.nested && !scope.allGroups) noted.push(members('group'));
  if (scope.assignedOnly)
    noted.push(sql`SELECT DISTINCT tenant_no, 'user', user_id FROM scope_assignee WHERE tenant_no = ${tenantNo}`);
  for (const ids of noted) {
    await sql`INSERT INTO scope_due (tenant_no, kind, object_id) ${ids} ON CONFLICT DO NOTHING`.execute(tx);
  }
  await sql`UPDATE scope SET entering = false WHERE tenant_no = ${tenantNo}`.execute(tx);
}

/** One group is what was meant; none or several are kept for a person to look at, never guessed among. */
async function settle(tx: Tx, tenantNo: number, entry: string, found: readonly GroupCandidate[]): Promise<void> {
  const [only] = found;
  if (!only || found.length > 1) {
    await sql`
      UPDATE scope_group SET candidates = ${JSON.stringify(found)}::jsonb
      WHERE tenant_no = ${tenantNo} AND entry = ${entry}`.execute(tx);
    return;
  }
  const { rows } = await sql<{ other: boolean }>`
    UPDATE scope_group r SET group_id = ${only.id}::uuid, candidates = NULL FROM scope_group b
    WHERE r.tenant_no = ${tenantNo} AND r.entry = ${entry} AND b.tenant_no = ${tenantNo} AND b.entry = ${entry}
    RETURNING b.group_id IS NOT NULL AND b.group_id <> r.group_id AS other`.execute(tx);
  // Another group of that name took the place of one that is gone: what the old one left behind goes.
  if (rows[0]?.other) await sql`UPDATE scope SET leaving = true WHERE tenant_no = ${tenantNo}`.execute(tx);
  await addDue(tx, tenantNo, 'group', [only.id]);
}

/** Ends what a completed round brought to its end, and says how many entries still fit no group. */
export async function completeScope(tx: Tx, tenantNo: number, scope: ScopeRow, kind: RoundKind): Promise<number> {
  await dropSettled(tx, tenantNo, scope);
  await endLeaving(tx, tenantNo, scope);
  if (kind === 'full') {
    await sql`UPDATE scope SET widening = false WHERE tenant_no = ${tenantNo} AND widening`.execute(tx);
    if (isWhole(scope) && !scope.readAll) await sql`DELETE FROM scope WHERE tenant_no = ${tenantNo}`.execute(tx);
  }
  return countUnresolved(tx, tenantNo);
}

/** Entries of the groups to sync that fit no group, or several. */
export async function countUnresolved(tx: Tx, tenantNo: number): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*) AS n FROM scope_group r
    WHERE r.tenant_no = ${tenantNo} AND NOT ${isFound(sql`${tenantNo}::int`)}`.execute(tx);
  return rows[0]?.n ?? 0;
}

/** To be selected as a column of a statement about tenants: the entries, and the mirrored groups that they stand for. */
export const scopeGroupsColumn = (tenantNo: RawBuilder<unknown>): RawBuilder<readonly ScopeGroup[] | null> => sql<
  readonly ScopeGroup[] | null
>`
  (SELECT jsonb_agg(jsonb_build_object('entry', r.entry, 'groupId', g.id, 'displayName', g.data->>'displayName',
    'candidates', coalesce(r.candidates, '[]')) ORDER BY r.entry)
  FROM scope_group r
  LEFT JOIN directory_group g ON g.tenant_no = r.tenant_no AND g.id = r.group_id AND g.deleted_at IS NULL
  WHERE r.tenant_no = ${tenantNo})`;
