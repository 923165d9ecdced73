import { sql, type RawBuilder } from 'kysely';
import { type Feed, KIND_OF, type MemberType, type ObjectKind } from '../../domain/directory.ts';
import { fenced, type FencedRound } from '../fence.ts';
import { arrayText } from '../memberships.ts';
import { dropPartial, hasPartial, partialObjects } from '../partial.ts';
import { openPick } from '../pick.ts';
import type { Database, Tx } from '../schema.ts';
import type { SyncStore, WantedObjects } from '../face/sync.ts';
import { isGroupWanted, isUserWanted, type ScopeRow, scopeColumn } from './in-scope.ts';
import { IS_ASKED_FOR, missedObjects, noteMissed } from './missed.ts';

/** Notes ids whose place in the scope may have changed. */
export async function addDue(tx: Tx, tenantNo: number, kind: ObjectKind, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, unnest(${arrayText(ids)}::uuid[]) ON CONFLICT DO NOTHING`.execute(tx);
}

export async function dropDue(tx: Tx, tenantNo: number, kind: ObjectKind, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const those = sql`tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ANY(${arrayText(ids)}::uuid[])`;
  await sql`
    WITH missed AS (DELETE FROM scope_missed WHERE ${those}) DELETE FROM scope_due WHERE ${those}`.execute(tx);
}

/** Notes members of a tenant with a scope. */
export async function addMembersToScope(tx: Tx, tenantNo: number, members: readonly Member[]): Promise<void> {
  if (members.length === 0) return;
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT DISTINCT ${tenantNo}::int, m.kind, m.id FROM unnest(${arrayText(members.map(({ kind }) => kind))}::text[],
      ${arrayText(members.map(({ id }) => id))}::uuid[]) AS m(kind, id)
    WHERE m.kind IN ('user', 'group') AND EXISTS (SELECT 1 FROM scope s WHERE s.tenant_no = ${tenantNo})
    ON CONFLICT DO NOTHING`.execute(tx);
}

interface Member {
  readonly kind: MemberType;
  readonly id: string;
}

/** A group that is back: whoever is kept in its memberships may be let in again. */
export async function addMembersOfDue(tx: Tx, tenantNo: number, groups: readonly string[]): Promise<void> {
  if (groups.length === 0) return;
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT DISTINCT m.tenant_no, m.member_type, m.member_id FROM membership m
    WHERE m.tenant_no = ${tenantNo} AND m.group_id = ANY(${arrayText(groups)}::uuid[])
      AND m.member_type IN ('user', 'group')
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** Groups that an approval let go though a round that is still under way has opened another way to them. */
export async function addStillInside(tx: Tx, tenantNo: number, groups: readonly string[]): Promise<void> {
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, 'group', i.id FROM unnest(${arrayText(groups)}::uuid[]) AS i(id)
    WHERE EXISTS (SELECT 1 FROM scope s WHERE s.tenant_no = ${tenantNo} AND s.nested)
      AND EXISTS (SELECT 1 FROM membership m JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = m.group_id
        WHERE m.tenant_no = ${tenantNo} AND m.member_id = i.id AND g.deleted_at IS NULL)
    ON CONFLICT DO NOTHING`.execute(tx);
}

export function createDue(db: Database): Pick<SyncStore, 'wantedObjects' | 'objectsPicked' | 'objectsRefused'> {
  return {
    wantedObjects: (fences, limit, { feed, after } = {}) =>
      fenced(db, fences, (tx, round) => wantedObjects(tx, round, limit, feed, after)),
    objectsPicked: (fences, wanted) => fenced(db, fences, (tx, round) => picked(tx, round, wanted)),
    objectsRefused: (fences, wanted) => fenced(db, fences, (tx, round) => refused(tx, round, wanted)),
  };
}

async function wantedObjects(
  tx: Tx,
  round: FencedRound,
  limit: number,
  only: Feed | undefined,
  after: string | undefined,
): Promise<WantedObjects | undefined> {
  const { tenantNo } = round;
  const no = sql`${tenantNo}::int`;
  const { rows } = await sql<{ scope: ScopeRow | null; partial: boolean }>`
    SELECT ${scopeColumn(no)} AS scope, ${hasPartial(no)} AS partial`.execute(tx);
  const { scope, partial } = rows[0] ?? {};
  const due = scope ? await dueObjects(tx, round, scope, limit, only, after) : undefined;
  return due ?? (partial ? partialObjects(tx, round, limit, only) : undefined);
}

/** Groups come first: their members are then known. */
async function dueObjects(
  tx: Tx,
  round: FencedRound,
  scope: ScopeRow,
  limit: number,
  only: Feed | undefined,
  after = '00000000-0000-0000-0000-000000000000',
): Promise<WantedObjects | undefined> {
  const { tenantNo, id: roundId } = round;
  const begun = await openPick(tx, tenantNo, ['assigned', 'due']);
  if (begun && (only === undefined || begun.feed === only)) return begun;
  if (scope.assignedOnly) {
    const { rows: unread } = await sql<{ id: string }>`
      SELECT principal_id AS id FROM scope_assigned
      WHERE tenant_no = ${tenantNo} AND kind = 'group' AND NOT read AND refused_in IS DISTINCT FROM ${roundId}
      ORDER BY principal_id LIMIT ${limit}`.execute(tx);
    if (unread.length > 0) return { feed: 'groups', ids: unread.map(({ id }) => id), why: 'assigned' };
  }
  const { rows: groups } = await sql<{ id: string }>`
    SELECT d.object_id AS id FROM scope_due d
    WHERE d.tenant_no = ${tenantNo} AND d.kind = 'group' AND d.refused_in IS DISTINCT FROM ${roundId}
      AND NOT EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id = d.object_id)
    ORDER BY d.object_id LIMIT ${limit}`.execute(tx);
  if (groups.length > 0) return { feed: 'groups', ids: groups.map(({ id }) => id), why: 'due' };
  const missed = await missedObjects(tx, round, 'groups', sql`true`, limit);
  if (missed || only === 'groups') return missed;
  const isWanted = (id: RawBuilder<unknown>) => isUserWanted(tenantNo, scope, id, 'as it will be');
  const { rows: users } = await sql<{ id: string }>`
    SELECT d.object_id AS id FROM scope_due d
    WHERE d.tenant_no = ${tenantNo} AND d.kind = 'user' AND d.object_id > ${after}::uuid
      AND (SELECT true FROM directory_user u WHERE u.tenant_no = ${tenantNo} AND u.id = d.object_id) IS NULL
      AND d.refused_in IS DISTINCT FROM ${roundId} AND ${isWanted(sql`d.object_id`)}
    ORDER BY d.object_id LIMIT ${limit}`.execute(tx);
  if (users.length > 0) return { feed: 'users', ids: users.map(({ id }) => id), why: 'due' };
  return missedObjects(tx, round, 'users', isWanted(sql`d.object_id`), limit);
}

/** Whoever was asked for is stored by now, kept out, or not shown, and then asked for again in the next rounds. */
async function picked(tx: Tx, round: FencedRound, wanted: WantedObjects): Promise<void> {
  const { tenantNo } = round;
  const { feed, ids, why } = wanted;
  if (why === 'partial') return dropPartial(tx, round, wanted);
  if (why === 'assigned') {
    await sql`
      UPDATE scope_assigned SET read = true
      WHERE tenant_no = ${tenantNo} AND principal_id = ANY(${arrayText(ids)}::uuid[])`.execute(tx);
    return;
  }
  await noteMissed(tx, round, feed, ids);
}

/** Of what was read in part the rest would be lost if the next question took its place. */
async function refused(
  tx: Tx,
  { tenantNo, id: roundId }: FencedRound,
  { feed, ids, why }: WantedObjects,
): Promise<'put_off' | 'begun'> {
  if (await openPick(tx, tenantNo, [why])) return 'begun';
  const those = sql`${arrayText(ids)}::uuid[]`;
  if (why === 'assigned') {
    await sql`
      UPDATE scope_assigned SET refused_in = ${roundId}
      WHERE tenant_no = ${tenantNo} AND principal_id = ANY(${those})`.execute(tx);
    return 'put_off';
  }
  for (const [table, column] of [['scope_due', 'refused_in'] as const, ['scope_missed', 'asked_in'] as const]) {
    await sql`
      UPDATE ${sql.table(table)} SET ${sql.ref(column)} = ${roundId}
      WHERE tenant_no = ${tenantNo} AND kind = ${KIND_OF[feed]} AND object_id = ANY(${those})`.execute(tx);
  }
  return 'put_off';
}

/** At a round's end everybody is judged; who is still to be asked for stays for the next round. */
export async function dropSettled(tx: Tx, tenantNo: number, scope: ScopeRow): Promise<void> {
  const isSettled = sql`CASE d.kind
    WHEN 'user' THEN EXISTS (SELECT 1 FROM directory_user o WHERE o.tenant_no = ${tenantNo} AND o.id = d.object_id)
      OR NOT ${isUserWanted(tenantNo, scope, sql`d.object_id`, 'as it will be')}
    ELSE EXISTS (SELECT 1 FROM directory_group o WHERE o.tenant_no = ${tenantNo} AND o.id = d.object_id)
      OR NOT ${isGroupWanted(tenantNo, scope, sql`d.object_id`)} END`;
  await sql`
    WITH missed AS (DELETE FROM scope_missed d WHERE d.tenant_no = ${tenantNo} AND (NOT ${IS_ASKED_FOR} OR ${isSettled}))
    DELETE FROM scope_due d WHERE d.tenant_no = ${tenantNo} AND ${isSettled}`.execute(tx);
}
