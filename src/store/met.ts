import { sql } from 'kysely';
import type { ObjectKind } from '../domain/directory.ts';
import { arrayText } from './memberships.ts';
import type { Tx } from './schema.ts';

export interface Met {
  readonly objects: readonly string[];
  readonly joined: readonly { readonly groupId: string; readonly memberId: string }[];
}

export async function forgetMet(tx: Tx, table: 'second_look_mark', tenantNo: number): Promise<void> {
  await sql`DELETE FROM ${sql.table(table)} WHERE tenant_no = ${tenantNo}`.execute(tx);
}

/** Notes what a comparison met, or a second look; returns whether something of it was not met before. */
export async function markMet(
  tx: Tx,
  table: 'reconcile_mark' | 'second_look_mark',
  tenantNo: number,
  kind: ObjectKind,
  { objects, joined }: Met,
): Promise<boolean> {
  const marks = sql.table(table);
  const { numAffectedRows: met = 0n } = await sql`
    INSERT INTO ${marks} (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, unnest(${arrayText(objects)}::uuid[]) ON CONFLICT DO NOTHING`.execute(tx);
  if (joined.length === 0) return met > 0n;
  const { numAffectedRows: members = 0n } = await sql`
    INSERT INTO ${marks} (tenant_no, kind, object_id, member_id)
    SELECT ${tenantNo}::int, 'membership', i.group_id, i.member_id
    FROM unnest(${arrayText(joined.map((m) => m.groupId))}::uuid[],
      ${arrayText(joined.map((m) => m.memberId))}::uuid[]) AS i(group_id, member_id)
    ON CONFLICT DO NOTHING`.execute(tx);
  return met + members > 0n;
}
