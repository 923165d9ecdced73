import { sql, type RawBuilder } from 'kysely';
import type { Selection } from '../../domain/scope.ts';

/** A tenant's row in `scope`, as the statements that need it anyway bring it along. */
export interface ScopeRow extends Selection {
  /** Its full round shows whom a change of the scope lets in. */
  readonly widening: boolean;
  readonly entering: boolean;
  readonly leaving: boolean;
  readonly readAll: boolean;
}

/** To be selected as a column of a statement about the tenant: null where nothing is kept out. */
export const scopeColumn = (tenantNo: RawBuilder<unknown>): RawBuilder<ScopeRow | null> => sql<ScopeRow | null>`
  (SELECT jsonb_build_object('allGroups', all_groups, 'nested', nested, 'assignedOnly', assigned_only, 'guests', guests,
    'disabled', disabled, 'widening', widening, 'entering', entering, 'leaving', leaving, 'readAll', read_all)
  FROM scope WHERE scope.tenant_no = ${tenantNo})`;

/**
 * Whether there is such a row, each time looked up by itself. As EXISTS the planner joins what it believes to be almost empty,
 * and compares each row that waits with each other.
 */
const some = (rows: RawBuilder<unknown>): RawBuilder<unknown> => sql`((SELECT true ${rows} LIMIT 1) IS NOT NULL)`;

/** Whether removals that wait for the round's end count as done, and those that wait for a person as well. */
type Staged = 'as it stands' | 'as it will be' | 'once approved';

const isStaged = (tenantNo: number, how: Staged, kind: string, id: RawBuilder<unknown>): RawBuilder<unknown> =>
  how === 'as it stands'
    ? some(sql`FROM staged_removal s WHERE s.tenant_no = ${tenantNo} AND s.kind = ${kind} AND s.object_id = ${id}
        AND s.reason = 'rescoped'`)
    : isWaiting(how, sql`s.tenant_no = ${tenantNo} AND s.kind = ${kind} AND s.object_id = ${id}`);

const membershipIsStaged = (tenantNo: number, how: Staged): RawBuilder<unknown> =>
  how === 'as it stands'
    ? sql`false`
    : isWaiting(
        how,
        sql`s.tenant_no = ${tenantNo} AND s.kind = 'membership' AND s.object_id = m.group_id AND s.member_id = m.member_id`,
      );

const isWaiting = (how: Exclude<Staged, 'as it stands'>, those: RawBuilder<unknown>): RawBuilder<unknown> => {
  const staged = some(sql`FROM staged_removal s WHERE ${those}`);
  return how === 'as it will be'
    ? staged
    : sql`(${staged} OR ${some(sql`FROM held_removal s WHERE ${those} AND NOT s.cancelled`)})`;
};

/** Whether the user with this id would be mirrored if no filter said otherwise. */
export function isUserWanted(
  tenantNo: number,
  { allGroups, assignedOnly }: Selection,
  id: RawBuilder<unknown>,
  how: Staged,
): RawBuilder<unknown> {
  // By the member alone, as its index is: beside the tenant the planner would rather read all of the tenant's.
  const member = some(sql`
    FROM (SELECT tenant_no, group_id, member_id FROM membership WHERE member_id = ${id} OFFSET 0) m
    WHERE m.tenant_no = ${tenantNo}
      AND (SELECT g.deleted_at IS NULL FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id = m.group_id)
      AND NOT ${isStaged(tenantNo, how, 'group', sql`m.group_id`)} AND NOT ${membershipIsStaged(tenantNo, how)}`);
  return sql`(${allGroups ? sql`true` : member} AND ${assignedOnly ? isAssigned(tenantNo, id) : sql`true`})`;
}

export const isAssigned = (tenantNo: number, id: RawBuilder<unknown>): RawBuilder<unknown> =>
  some(sql`FROM scope_assignee a WHERE a.tenant_no = ${tenantNo} AND a.user_id = ${id}`);

/** Whether the row `u` of a mirrored user belongs there. */
export function isUserInScope(tenantNo: number, scope: Selection, how: Staged): RawBuilder<unknown> {
  const guests = scope.guests ? sql`true` : sql`u.data->>'userType' IS DISTINCT FROM 'Guest'`;
  const disabled = scope.disabled
    ? sql`true`
    : sql`(u.data->'accountEnabled' IS DISTINCT FROM 'false'
        AND NOT ${how === 'as it stands' ? sql`false` : isStaged(tenantNo, how, 'disable', sql`u.id`)})`;
  return sql`(${isUserWanted(tenantNo, scope, sql`u.id`, how)} AND ${guests} AND ${disabled})`;
}

/** Whether the group with this id is one to sync, or inside of one that is mirrored. */
export function isGroupWanted(tenantNo: number, { allGroups, nested }: Selection, id: RawBuilder<unknown>) {
  if (allGroups) return sql`true`;
  const root = sql`EXISTS (SELECT 1 FROM scope_group r WHERE r.tenant_no = ${tenantNo} AND r.group_id = ${id})`;
  if (!nested) return root;
  return sql`(${root} OR EXISTS (
    SELECT 1 FROM membership m JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = m.group_id
    WHERE m.tenant_no = ${tenantNo} AND m.member_id = ${id} AND m.member_type = 'group' AND g.deleted_at IS NULL))`;
}

/** Which groups are about to leave the scope follows from what can be reached, not the other way round. */
const isGone = (tenantNo: number, how: Staged, id: RawBuilder<unknown>): RawBuilder<unknown> =>
  how === 'as it stands'
    ? sql`false`
    : isWaiting(
        how,
        sql`s.tenant_no = ${tenantNo} AND s.kind = 'group' AND s.object_id = ${id} AND s.reason NOT IN ('scope', 'rescoped')`,
      );

/** Ids of the groups to sync, and with `nested` of all that are inside of them by mirrored, live groups. */
export function groupsInScope(tenantNo: number, { nested }: Selection, how: Staged): RawBuilder<unknown> {
  const inside = sql`
    UNION SELECT m.member_id FROM reached r
    JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = r.id AND g.deleted_at IS NULL
    JOIN membership m ON m.tenant_no = ${tenantNo} AND m.group_id = r.id AND m.member_type = 'group'
    WHERE NOT ${isGone(tenantNo, how, sql`r.id`)} AND NOT ${membershipIsStaged(tenantNo, how)}`;
  return sql`
    WITH RECURSIVE reached AS (
      SELECT group_id AS id FROM scope_group WHERE tenant_no = ${tenantNo} AND group_id IS NOT NULL
      ${nested ? inside : sql``}
    ) SELECT id FROM reached`;
}
