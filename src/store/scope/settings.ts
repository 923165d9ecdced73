import { sql } from 'kysely';
import { isWhole, mustReadAll, type Selection } from '../../domain/scope.ts';
import { raiseFences } from '../fence.ts';
import { restartReconcile } from '../reconcile.ts';
import type { Tx } from '../schema.ts';

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface Setting {
  readonly selection: Selection;
  readonly groups: readonly string[];
}

/** Writes down what a new or changed scope asks of the next rounds. What a running slice fetched under the old one is void. */
export async function writeScope(tx: Tx, tenantNo: number, before: Setting, after: Setting): Promise<void> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  const { allGroups, nested, assignedOnly, guests, disabled } = after.selection;
  if (isWhole(before.selection) && isWhole(after.selection)) return;
  await sql`
    INSERT INTO scope AS s (tenant_no, all_groups, nested, assigned_only, guests, disabled, read_all)
    VALUES (${tenantNo}, ${allGroups}, ${nested}, ${assignedOnly}, ${guests}, ${disabled},
      ${mustReadAll(before.selection, after.selection)})
    ON CONFLICT (tenant_no) DO UPDATE SET all_groups = excluded.all_groups, nested = excluded.nested,
      assigned_only = excluded.assigned_only, guests = excluded.guests, disabled = excluded.disabled,
      entering = true, leaving = true, read_all = s.read_all OR excluded.read_all`.execute(tx);
  await sql`
    DELETE FROM scope_group WHERE tenant_no = ${tenantNo} AND NOT entry = ANY(${[...after.groups]}::text[])`.execute(
    tx,
  );
  await sql`
    INSERT INTO scope_group (tenant_no, entry, group_id)
    SELECT ${tenantNo}::int, entry, id::uuid
    FROM unnest(${[...after.groups]}::text[], ${after.groups.map((entry) => (ID.test(entry) ? entry : null))}::text[])
      AS i(entry, id)
    ON CONFLICT DO NOTHING`.execute(tx);
  if (!assignedOnly) {
    await sql`DELETE FROM scope_assigned WHERE tenant_no = ${tenantNo}`.execute(tx);
    await sql`DELETE FROM scope_assignee WHERE tenant_no = ${tenantNo}`.execute(tx);
  }
  await raiseFences(tx, tenantNo);
  await restartReconcile(tx, tenantNo);
}
