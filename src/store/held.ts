import { sql, type RawBuilder } from 'kysely';
import type { Attributes } from '../domain/directory.ts';
import type { NewEvent } from '../domain/event.ts';
import { netOf, objectGone } from './changes.ts';
import { tell } from './events.ts';
import { lockCheckpoints, lockRound } from './fence.ts';
import { endIfEmpty } from './hold.ts';
import { REMOVAL_STEPS } from './removals.ts';
import type { Database, Tx } from './schema.ts';
import type { HeldKind, HeldRow, HeldStore, HeldSummary } from './face/held.ts';
import type { Page } from './face/tenants.ts';

/** What a guard holds: looked at, approved, rejected. */
export function createHeld(db: Database): HeldStore {
  return {
    summary: (tenantNo) => summaryOf(db, tenantNo),
    list: (tenantNo, kind, after, limit) => listHeld(db, tenantNo, kind, after, limit),
    approve: (tenantNo, heartbeat) => approveHeld(db, tenantNo, heartbeat),

    reject: (tenantNo) =>
      db.transaction().execute(async (tx) => {
        if (!(await lockHeld(tx, tenantNo))) return;
        await tx.deleteFrom('held_removal').where('tenant_no', '=', tenantNo).execute();
        await tx.deleteFrom('held_set').where('tenant_no', '=', tenantNo).execute();
        // The links are past what was dropped: the next round is a full one, also where nobody remembers the rejection.
        await sql`UPDATE checkpoint SET query_hash = NULL WHERE tenant_no = ${tenantNo}`.execute(tx);
      }),
  };
}

async function summaryOf(db: Database, tenantNo: number): Promise<HeldSummary | undefined> {
  const set = await db
    .selectFrom('held_set')
    .select(['since', 'exceeded', 'sample'])
    .where('tenant_no', '=', tenantNo)
    .executeTakeFirst();
  if (!set) return undefined;
  const count = (kind: HeldKind) => sql`(SELECT count(*) FROM (${LISTS[kind](tenantNo)}) AS list)`;
  const { rows } = await sql<HeldSummary['counts']>`
    SELECT ${count('users')} AS users, ${count('groups')} AS groups, ${count('memberships')} AS memberships,
      ${count('disables')} AS disables`.execute(db);
  const [counts] = rows;
  if (!counts) throw new Error('A count has no row');
  return { ...set, counts };
}

const heldObjects = (table: 'directory_user' | 'directory_group', kind: string) => (tenantNo: number) => sql`
  SELECT h.object_id AS id, NULL::uuid AS member_id, h.reason, o.data FROM held_removal h
  JOIN ${sql.table(table)} o ON o.tenant_no = ${tenantNo} AND o.id = h.object_id AND o.deleted_at IS NULL
  WHERE h.tenant_no = ${tenantNo} AND NOT h.cancelled AND h.kind = ${kind}`;

/** Exactly what an approval takes away, each with why: what can be seen no more is not there to be taken. */
const LISTS: Readonly<Record<HeldKind, (tenantNo: number) => RawBuilder<unknown>>> = {
  users: heldObjects('directory_user', 'user'),
  groups: heldObjects('directory_group', 'group'),
  disables: (tenantNo) => sql`
    SELECT h.object_id AS id, NULL::uuid AS member_id, 'disabled' AS reason, o.data FROM held_removal h
    JOIN directory_user o ON o.tenant_no = ${tenantNo} AND o.id = h.object_id AND o.deleted_at IS NULL
      AND o.data->'accountEnabled' IS DISTINCT FROM 'false'
    WHERE h.tenant_no = ${tenantNo} AND NOT h.cancelled AND h.kind = 'disable'`,
  memberships: (tenantNo) => sql`
    SELECT e.id, e.member_id, min(e.reason) AS reason,
      (SELECT g.data FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id = e.id) AS data
    FROM (
      SELECT v.group_id AS id, v.member_id, 'left' AS reason FROM held_removal h
      JOIN visible_membership v ON v.tenant_no = ${tenantNo} AND v.group_id = h.object_id AND v.member_id = h.member_id
      WHERE h.tenant_no = ${tenantNo} AND NOT h.cancelled AND h.kind = 'membership'
      UNION ALL SELECT v.group_id, v.member_id, 'group_removed' FROM held_removal h
      JOIN visible_membership v ON v.tenant_no = ${tenantNo} AND v.group_id = h.object_id
      WHERE h.tenant_no = ${tenantNo} AND NOT h.cancelled AND h.kind = 'group'
      UNION ALL SELECT v.group_id, v.member_id, 'member_removed' FROM held_removal h
      JOIN visible_membership v ON v.tenant_no = ${tenantNo} AND v.member_id = h.object_id
      WHERE h.tenant_no = ${tenantNo} AND NOT h.cancelled AND h.kind IN ('user', 'group')
    ) AS e GROUP BY e.id, e.member_id`,
};

interface ListRow {
  readonly id: string;
  readonly member_id: string | null;
  readonly reason: HeldRow['reason'];
  readonly data: Attributes | null;
}

async function listHeld(
  db: Database,
  tenantNo: number,
  kind: HeldKind,
  after: string | undefined,
  limit: number,
): Promise<Page<HeldRow>> {
  const [id, member] = after?.split(':') ?? [];
  const beyond =
    id === undefined
      ? sql`true`
      : member === undefined
        ? sql`list.id > ${id}::uuid`
        : sql`(list.id, list.member_id) > (${id}::uuid, ${member}::uuid)`;
  const { rows } = await sql<ListRow>`
    SELECT * FROM (${LISTS[kind](tenantNo)}) AS list WHERE ${beyond}
    ORDER BY list.id, list.member_id LIMIT ${limit + 1}`.execute(db);
  const data = rows.slice(0, limit).map((row) => ({
    id: row.member_id === null ? row.id : `${row.id}:${row.member_id}`,
    data: row.data,
    reason: row.reason,
  }));
  return { data, next: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
}

async function approveHeld(db: Database, tenantNo: number, heartbeat: () => void): Promise<string | undefined> {
  await db.transaction().execute((tx) => noteMembersOfHeld(tx, tenantNo));
  for (const step of REMOVAL_STEPS) {
    for (let more = true; more; heartbeat()) {
      more = await db.transaction().execute(async (tx) => {
        const set = await lockHeld(tx, tenantNo);
        if (!set || set.approved === null) return false;
        const approved = {
          table: sql.table('held_removal'),
          where: sql`generation <= ${set.approved} AND NOT cancelled`,
        };
        const batch = await step(tx, { tenantNo, quiet: false }, approved);
        await addToCounts(tx, tenantNo, batch.events);
        await tell(tx, tenantNo, batch.events);
        return batch.more;
      });
    }
  }
  return db.transaction().execute(async (tx) => {
    if (!(await lockHeld(tx, tenantNo))) return undefined;
    await tx.updateTable('held_set').set({ approved: null }).where('tenant_no', '=', tenantNo).execute();
    return endIfEmpty(tx, tenantNo);
  });
}

/**
 * Lets one person of the held set go, as an approval would but without their data; undefined where they are not in it. Holds
 * the tenant and its checkpoints already.
 */
export async function letGoHeld(tx: Tx, tenantNo: number, userId: string): Promise<readonly NewEvent[] | undefined> {
  await lockRound(tx, tenantNo);
  const { rows } = await sql`
    SELECT 1 FROM held_removal
    WHERE tenant_no = ${tenantNo} AND kind = 'user' AND object_id = ${userId}::uuid AND NOT cancelled`.execute(tx);
  if (rows.length === 0) return undefined;
  const theirs = {
    table: sql.table('held_removal'),
    where: sql`${userId}::uuid IN (object_id, member_id) AND kind IN ('user', 'membership') AND NOT cancelled`,
  };
  const events: NewEvent[] = [];
  for (const step of REMOVAL_STEPS) {
    for (let more = true; more;) {
      const batch = await step(tx, { tenantNo, quiet: false }, theirs);
      events.push(...batch.events);
      ({ more } = batch);
    }
  }
  await addToCounts(tx, tenantNo, events);
  await endIfEmpty(tx, tenantNo);
  return events.map((event) =>
    event.subject.kind === 'user' ? objectGone('user', userId, undefined, event.reason) : event,
  );
}

async function addToCounts(tx: Tx, tenantNo: number, events: readonly NewEvent[]): Promise<void> {
  const net = netOf(events);
  await sql`
    UPDATE tenant SET users = users + ${net.users}, groups = groups + ${net.groups},
      memberships = memberships + ${net.memberships}
    WHERE no = ${tenantNo}`.execute(tx);
}

/**
 * Of a tenant with a scope: whoever loses a membership now may have lost the last one, and who goes may have left the scope
 * as well. The next round judges.
 */
async function noteMembersOfHeld(tx: Tx, tenantNo: number): Promise<void> {
  if (!(await lockHeld(tx, tenantNo))) return;
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT DISTINCT ${tenantNo}::int, m.member_type, m.member_id FROM held_removal h CROSS JOIN LATERAL (
      SELECT member_type, member_id FROM membership
      WHERE tenant_no = ${tenantNo} AND group_id = h.object_id AND h.kind = 'group'
      UNION ALL SELECT member_type, member_id FROM membership
      WHERE tenant_no = ${tenantNo} AND group_id = h.object_id AND member_id = h.member_id AND h.kind = 'membership'
      UNION ALL SELECT 'user', h.object_id WHERE h.kind = 'user') m
    WHERE h.tenant_no = ${tenantNo} AND h.kind IN ('group', 'membership', 'user') AND m.member_type IN ('user', 'group')
      AND EXISTS (SELECT 1 FROM scope s WHERE s.tenant_no = ${tenantNo})
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** In the order in which all rows are locked, so that neither a page nor a purge comes in between. */
async function lockHeld(tx: Tx, tenantNo: number): Promise<{ readonly approved: number | null } | undefined> {
  const tenant = await tx
    .selectFrom('tenant')
    .select('no')
    .where('no', '=', tenantNo)
    .where('deleting_at', 'is', null)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!tenant) return undefined;
  await lockCheckpoints(tx, tenantNo);
  await lockRound(tx, tenantNo);
  return tx.selectFrom('held_set').select('approved').where('tenant_no', '=', tenantNo).forUpdate().executeTakeFirst();
}
