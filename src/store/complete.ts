import { sql } from 'kysely';
import { tell } from './events.ts';
import { holdFences, lockCheckpoints } from './fence.ts';
import { tidyHeld } from './hold.ts';
import { putOffReconcile } from './reconcile.ts';
import { summaryOf } from './rounds.ts';
import type { Database, Tx } from './schema.ts';
import { completeScope } from './scope/groups.ts';
import { scopeColumn } from './scope/in-scope.ts';
import type { Fence, SyncStore } from './face/sync.ts';
import type { RoundEnd } from './face/tenants.ts';
import { onWholeTables } from './whole-table.ts';

/** Ends a round whose removals are applied: from here on the mirror is of the moment when it began. */
export function createCompleteRound(db: Database): SyncStore['completeRound'] {
  return (fences) => db.transaction().execute((tx) => completeRound(tx, fences));
}

interface Counts {
  readonly users: number;
  readonly groups: number;
  readonly memberships: number;
}

async function completeRound(tx: Tx, fences: readonly Fence[]): Promise<RoundEnd | 'superseded'> {
  const [first] = fences;
  if (!first) throw new Error('A fence is needed');
  const { tenantNo } = first;
  const tenant = await tx
    .selectFrom('tenant')
    .select(['id', 'users', 'groups', 'memberships'])
    .select(sql<boolean>`EXISTS (SELECT 1 FROM held_set h WHERE h.tenant_no = tenant.no)`.as('held'))
    .select(scopeColumn(sql`tenant.no`).as('within'))
    .where('no', '=', tenantNo)
    .forUpdate()
    .executeTakeFirst();
  const held = tenant && (await holdFences(tx, fences));
  if (!held) return 'superseded';
  await assertNothingWaits(tx, tenantNo);
  const round = await tx
    .updateTable('round')
    .set({ completed_at: sql`clock_timestamp()` })
    .where('tenant_no', '=', tenantNo)
    .returningAll()
    .executeTakeFirstOrThrow();
  // What a delta round told is what the counts changed by; a full round counts again, which would heal them.
  const counts: Counts =
    round.kind === 'full'
      ? await countVisible(tx, tenantNo)
      : {
          users: tenant.users + round.users,
          groups: tenant.groups + round.groups,
          memberships: tenant.memberships + round.memberships,
        };
  const summary = summaryOf(round, round.completed_at ?? round.started_at);
  const heldSince = tenant.held ? await tidyHeld(tx, tenantNo, round.changes > 0) : undefined;
  const unresolvedGroups = tenant.within ? await completeScope(tx, tenantNo, tenant.within, round.kind) : 0;
  await tx
    .updateTable('tenant')
    .set({
      last_sync: JSON.stringify(summary),
      // What one feed did not tell may be old: all of the mirror is as fresh as before.
      ...(round.set_aside === null && {
        as_of: round.started_at,
        read_as_of: round.kind === 'full' ? round.started_at : sql`coalesce(read_as_of, ${round.started_at})`,
      }),
      ...counts,
    })
    .where('no', '=', tenantNo)
    .execute();
  if (round.kind === 'full') {
    await sql`UPDATE checkpoint SET full_pages = pages WHERE tenant_no = ${tenantNo}`.execute(tx);
    await putOffReconcile(tx, tenantNo);
  }
  if (round.marks) await tx.deleteFrom('round_mark').where('tenant_no', '=', tenantNo).execute();
  if (round.kind === 'full' || round.changes > 0) {
    await tell(tx, tenantNo, [
      { type: 'sync.completed', subject: { kind: 'sync', id: tenant.id }, data: { ...summary, counts } },
    ]);
  }
  return {
    ...summary,
    ...(heldSince === undefined ? {} : { heldSince }),
    ...(unresolvedGroups === 0 ? {} : { unresolvedGroups }),
  };
}

async function assertNothingWaits(tx: Tx, tenantNo: number): Promise<void> {
  const unfinished = (await lockCheckpoints(tx, tenantNo)).filter((row) => !row.done).map((row) => row.feed);
  if (unfinished.length > 0) throw new Error(`Tenant ${tenantNo}: not at its deltaLink: ${unfinished.join(', ')}`);
  const { rows } = await sql`SELECT 1 FROM staged_removal WHERE tenant_no = ${tenantNo} LIMIT 1`.execute(tx);
  if (rows.length > 0) throw new Error(`Tenant ${tenantNo}: removals wait to be applied`);
}

async function countVisible(tx: Tx, tenantNo: number): Promise<Counts> {
  // A membership has a group, always; so only what is soft-deleted takes from the count.
  const { rows } = await onWholeTables(tx, () =>
    sql<Counts>`
      WITH hidden AS MATERIALIZED (
        SELECT id FROM directory_user WHERE tenant_no = ${tenantNo} AND deleted_at IS NOT NULL
        UNION ALL SELECT id FROM directory_group WHERE tenant_no = ${tenantNo} AND deleted_at IS NOT NULL
      )
      SELECT (SELECT count(*) FROM directory_user WHERE tenant_no = ${tenantNo} AND deleted_at IS NULL) AS users,
        (SELECT count(*) FROM directory_group WHERE tenant_no = ${tenantNo} AND deleted_at IS NULL) AS groups,
        (SELECT count(*) FROM membership m WHERE m.tenant_no = ${tenantNo} AND m.told
          AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.id = m.group_id)
          AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.id = m.member_id)) AS memberships`.execute(tx),
  );
  const [counts] = rows;
  if (!counts) throw new Error('A count has no row');
  return counts;
}
