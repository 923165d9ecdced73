import { sql } from 'kysely';
import type { FoldedPage } from '../../domain/delta.ts';
import { fenced } from '../fence.ts';
import { arrayText } from '../memberships.ts';
import type { Database, Tx } from '../schema.ts';
import type { Assignment, SyncStore } from '../face/sync.ts';
import { addDue } from './due.ts';

/** Keeps the members of assigned groups true by what the groups' feed, or a question for those groups, says of them. */
export async function hearAssigned(tx: Tx, tenantNo: number, page: FoldedPage): Promise<void> {
  const joined = page.joined.filter(({ memberType }) => memberType === 'user');
  const { rows: added } = await sql<{ user_id: string }>`
    INSERT INTO scope_assignee (tenant_no, user_id, via)
    SELECT ${tenantNo}::int, i.user_id, i.via FROM unnest(${arrayText(joined.map((row) => row.memberId))}::uuid[],
      ${arrayText(joined.map((row) => row.groupId))}::uuid[]) AS i(user_id, via)
    WHERE EXISTS (SELECT 1 FROM scope_assigned a
      WHERE a.tenant_no = ${tenantNo} AND a.principal_id = i.via AND a.kind = 'group')
    ON CONFLICT DO NOTHING RETURNING user_id`.execute(tx);
  const { rows: dropped } = await sql<{ user_id: string }>`
    DELETE FROM scope_assignee a USING unnest(${arrayText(page.left.map((row) => row.memberId))}::uuid[],
      ${arrayText(page.left.map((row) => row.groupId))}::uuid[]) AS i(user_id, via)
    WHERE a.tenant_no = ${tenantNo} AND a.user_id = i.user_id AND a.via = i.via RETURNING a.user_id`.execute(tx);
  await addDue(
    tx,
    tenantNo,
    'user',
    [...added, ...dropped].map((row) => row.user_id),
  );
  await unassign(
    tx,
    tenantNo,
    page.removed.map(({ id }) => id),
  );
}

export function createAssigned(db: Database): Pick<SyncStore, 'assignedListed'> {
  return {
    assignedListed: (fences, assignments) =>
      fenced(db, fences, (tx, { tenantNo }) => settleAssigned(tx, tenantNo, assignments)),
  };
}

/** What differs from the last list: who is new is looked for, whoever is on it no more is judged at the round's end. */
async function settleAssigned(tx: Tx, tenantNo: number, assignments: readonly Assignment[]): Promise<void> {
  const { rows: known } = await sql<{ id: string }>`
    SELECT principal_id AS id FROM scope_assigned WHERE tenant_no = ${tenantNo}`.execute(tx);
  const listed = new Map(assignments.map((assignment) => [assignment.principalId, assignment]));
  const before = new Set(known.map(({ id }) => id));
  await unassign(
    tx,
    tenantNo,
    [...before].filter((id) => !listed.has(id)),
  );
  const added = [...listed.values()].filter(({ principalId }) => !before.has(principalId));
  if (added.length === 0) return;
  await sql`
    INSERT INTO scope_assigned (tenant_no, principal_id, kind, read)
    SELECT ${tenantNo}::int, id, kind, kind = 'user' FROM unnest(${arrayText(added.map((row) => row.principalId))}::uuid[],
      ${arrayText(added.map((row) => row.kind))}::text[]) AS i(id, kind)`.execute(tx);
  const people = added.filter(({ kind }) => kind === 'user').map(({ principalId }) => principalId);
  await sql`
    INSERT INTO scope_assignee (tenant_no, user_id, via)
    SELECT ${tenantNo}::int, id, id FROM unnest(${arrayText(people)}::uuid[]) AS i(id) ON CONFLICT DO NOTHING`.execute(
    tx,
  );
  await addDue(tx, tenantNo, 'user', people);
}

async function unassign(tx: Tx, tenantNo: number, principals: readonly string[]): Promise<void> {
  if (principals.length === 0) return;
  const ids = sql`${arrayText(principals)}::uuid[]`;
  await sql`DELETE FROM scope_assigned WHERE tenant_no = ${tenantNo} AND principal_id = ANY(${ids})`.execute(tx);
  await forgetAssignees(tx, tenantNo, principals);
}

async function forgetAssignees(tx: Tx, tenantNo: number, via: readonly string[]): Promise<void> {
  const { rows } = await sql<{ user_id: string }>`
    DELETE FROM scope_assignee
    WHERE tenant_no = ${tenantNo} AND via = ANY(${arrayText(via)}::uuid[]) RETURNING user_id`.execute(tx);
  await addDue(tx, tenantNo, 'user', [...new Set(rows.map((row) => row.user_id))]);
}

/**
 * A full round shows whom a change of the scope lets in. It asks for all members of assigned groups again: what a lost feed
 * did not say is then known.
 */
export async function beginFullScope(tx: Tx, tenantNo: number): Promise<void> {
  await sql`
    UPDATE scope SET read_all = false, widening = true WHERE tenant_no = ${tenantNo} AND read_all`.execute(tx);
  const { rows } = await sql<{ id: string }>`
    UPDATE scope_assigned SET read = false WHERE tenant_no = ${tenantNo} AND kind = 'group'
    RETURNING principal_id AS id`.execute(tx);
  await forgetAssignees(
    tx,
    tenantNo,
    rows.map(({ id }) => id),
  );
}
