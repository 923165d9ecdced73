import { sql, type RawBuilder } from 'kysely';
import type { FoldedPage } from '../domain/delta.ts';
import type { Membership, ObjectKind } from '../domain/directory.ts';
import type { NewEvent } from '../domain/event.ts';
import { mayBeBack, READS_LAG_AT_MOST_MS, SECOND_LOOK_AFTER_MS } from '../domain/restored.ts';
import { membershipEvent, type MembershipRow, type ObjectChange } from './changes.ts';
import { tellInRound } from './events.ts';
import { fenced, type FencedRound } from './fence.ts';
import { isRestored, isSpokenOf } from './kept.ts';
import { arrayText, onlyVisible, writeMemberships } from './memberships.ts';
import type { Database, Tx } from './schema.ts';
import type { RestoredObject, SyncStore } from './face/sync.ts';
import { addMembersToScope } from './scope/due.ts';

/** Memberships, and with them events, of one transaction. */
const BATCH_ROWS = 1_000;
const DUE_AT_ONCE = 100;

/*
 * A restored object's kept memberships are untold again from the page that brings it back until a look at Graph lists
 * them. The feed's own words about them always win, whenever they come: reads of Graph may be older than its feed.
 */

/** Of memberships around restored objects, in the page that brings them back: what the feed has not said itself waits. */
export async function keepBack(
  tx: Tx,
  { tenantNo, marks }: FencedRound,
  kind: ObjectKind,
  restored: readonly string[],
): Promise<void> {
  const ids = sql`${arrayText(restored)}::uuid[]`;
  await sql`
    INSERT INTO restored_object (tenant_no, kind, object_id) SELECT ${tenantNo}::int, ${kind}::text, unnest(${ids})
    ON CONFLICT (tenant_no, kind, object_id) DO UPDATE SET restored_at = now(), looked_at = NULL, looked_in = NULL`.execute(
    tx,
  );
  const marked = marks
    ? sql`AND NOT EXISTS (SELECT 1 FROM round_mark k WHERE k.tenant_no = ${tenantNo} AND k.kind = 'membership'
        AND k.object_id = m.group_id AND k.member_id = m.member_id)`
    : sql``;
  await sql`
    UPDATE membership m SET told = false
    WHERE m.tenant_no = ${tenantNo} AND m.told AND (m.group_id = ANY(${ids}) OR m.member_id = ANY(${ids})) ${marked}
      AND (${isStaged(tenantNo)} OR NOT ${isSpokenOf(tenantNo)})`.execute(tx);
}

/**
 * Of objects that were unknown and may be back from before the mirror began: what the feed said of their memberships counts,
 * and what it is silent about is looked for.
 */
export async function lookForMore(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  appeared: readonly ObjectChange[],
): Promise<void> {
  if (appeared.length === 0) return;
  const { read_as_of: readAsOf } = await tx
    .selectFrom('tenant')
    .select('read_as_of')
    .where('no', '=', tenantNo)
    .executeTakeFirstOrThrow();
  const back = appeared.filter(({ after }) => readAsOf !== null && mayBeBack(kind, after, readAsOf));
  const ids = back.map(({ id }) => id);
  if (ids.length === 0) return;
  await sql`
    INSERT INTO restored_object (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, unnest(${arrayText(ids)}::uuid[]) ON CONFLICT DO NOTHING`.execute(tx);
  for (const end of ['group_id', 'member_id']) {
    await sql`
      INSERT INTO membership_word (tenant_no, group_id, member_id, source)
      SELECT m.tenant_no, m.group_id, m.member_id, 'feed' FROM membership m
      WHERE m.tenant_no = ${tenantNo} AND ${sql.ref(`m.${end}`)} = ANY(${arrayText(ids)}::uuid[])
      ON CONFLICT DO NOTHING`.execute(tx);
  }
}

/** Remembers what a page says of memberships that a look may come to; returns those that this makes visible. */
export async function hearMemberships(
  tx: Tx,
  tenantNo: number,
  { joined, left }: Pick<FoldedPage, 'joined' | 'left'>,
): Promise<readonly MembershipRow[]> {
  const all = [...joined, ...left];
  if (all.length === 0) return [];
  await sql`
    INSERT INTO membership_word (tenant_no, group_id, member_id, source)
    SELECT ${tenantNo}::int, m.group_id, m.member_id, 'feed' FROM ${pairs(all)}
    WHERE ${isRestored(tenantNo)}
      OR EXISTS (SELECT 1 FROM directory_user o
        WHERE o.tenant_no = ${tenantNo} AND o.id = m.member_id AND o.deleted_at IS NOT NULL)
      OR EXISTS (SELECT 1 FROM directory_group o
        WHERE o.tenant_no = ${tenantNo} AND o.id IN (m.group_id, m.member_id) AND o.deleted_at IS NOT NULL)
    ON CONFLICT (tenant_no, group_id, member_id) DO UPDATE SET source = 'feed'`.execute(tx);
  if (joined.length === 0) return [];
  const { rows } = await sql<MembershipRow>`
    UPDATE membership t SET told = true FROM ${pairs(joined)}
    WHERE t.tenant_no = ${tenantNo} AND t.group_id = m.group_id AND t.member_id = m.member_id AND NOT t.told
      AND ${isRestored(tenantNo)} AND ${isKnown(tenantNo, sql`t`)}
    RETURNING t.group_id, t.member_id, t.member_type`.execute(tx);
  return onlyVisible(tx, tenantNo, rows);
}

/** Whoever goes again is not looked at; the next restore begins anew. */
export async function forgetRestored(tx: Tx, tenantNo: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const gone = sql`${arrayText(ids)}::uuid[]`;
  await sql`DELETE FROM restored_object WHERE tenant_no = ${tenantNo} AND object_id = ANY(${gone})`.execute(tx);
  await sql`
    DELETE FROM membership_word
    WHERE tenant_no = ${tenantNo} AND (group_id = ANY(${gone}) OR member_id = ANY(${gone}))`.execute(tx);
}

export function createRestored(db: Database): Pick<SyncStore, 'restoredDue' | 'settleRestored'> {
  return {
    async restoredDue(tenantNo) {
      const { rows } = await sql<{ kind: ObjectKind; object_id: string }>`
        SELECT o.kind, o.object_id FROM restored_object o
        JOIN round r ON r.tenant_no = o.tenant_no AND r.completed_at IS NULL
        WHERE o.tenant_no = ${tenantNo} AND o.looked_in IS DISTINCT FROM r.id
          AND (o.looked_at IS NULL OR o.looked_at <= now() - ${SECOND_LOOK_AFTER_MS} * interval '1 millisecond')
          AND NOT EXISTS (SELECT 1 FROM staged_removal s
            WHERE s.tenant_no = o.tenant_no AND s.kind = o.kind AND s.object_id = o.object_id)
        ORDER BY o.object_id LIMIT ${DUE_AT_ONCE}`.execute(db);
      return rows.map((row) => ({ kind: row.kind, id: row.object_id }));
    },

    async settleRestored(fences, restored, listed) {
      if (listed === 'not_seen') return fenced(db, fences, (tx, round) => notSeen(tx, round, restored));
      for (let at = 0; at < listed.length; at += BATCH_ROWS) {
        const some = listed.slice(at, at + BATCH_ROWS);
        const told = await fenced(db, fences, (tx, round) => tellListed(tx, round, restored, some));
        if (told === 'superseded') return told;
      }
      return fenced(db, fences, (tx, round) => settleRest(tx, round, restored, listed));
    },
  };
}

/** What Graph lists is there: told if it was kept, added if it was missing and the feed did not say that it ended. */
async function tellListed(
  tx: Tx,
  round: FencedRound,
  restored: RestoredObject,
  listed: readonly Membership[],
): Promise<void> {
  const { tenantNo } = round;
  if (!(await hold(tx, tenantNo, restored))) return;
  const { rows: kept } = await sql<MembershipRow>`
    UPDATE membership t SET told = true FROM ${pairs(listed)}
    WHERE t.tenant_no = ${tenantNo} AND t.group_id = m.group_id AND t.member_id = m.member_id AND NOT t.told
      AND NOT ${isStaged(tenantNo)} AND ${isKnown(tenantNo, sql`t`)}
    RETURNING t.group_id, t.member_id, t.member_type`.execute(tx);
  await noteListed(tx, tenantNo, listed);
  // A group that is not mirrored yet comes with its members.
  const { rows: missing } = await sql<MembershipRow>`
    INSERT INTO membership_word (tenant_no, group_id, member_id, source)
    SELECT ${tenantNo}::int, m.group_id, m.member_id, 'look' FROM ${pairs(listed)}
    WHERE EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_no = ${tenantNo} AND g.id = m.group_id)
      AND NOT EXISTS (SELECT 1 FROM membership t
        WHERE t.tenant_no = ${tenantNo} AND t.group_id = m.group_id AND t.member_id = m.member_id)
    ON CONFLICT DO NOTHING
    RETURNING group_id, member_id`.execute(tx);
  const wanted = new Set(missing.map((row) => `${row.group_id}:${row.member_id}`));
  const added = listed.filter((row) => wanted.has(`${row.groupId}:${row.memberId}`));
  const { visible } = added.length > 0 ? await writeMemberships(tx, round, added) : { visible: [] };
  const joined = added.map(({ memberType, memberId }) => ({ kind: memberType, id: memberId }));
  await addMembersToScope(tx, tenantNo, joined);
  // What the feed does not list any more but Graph does must not be swept by a full round.
  if (round.marks) {
    await sql`
      INSERT INTO round_mark (tenant_no, kind, object_id, member_id)
      SELECT ${tenantNo}::int, 'membership', m.group_id, m.member_id FROM ${pairs(listed)}
      WHERE NOT ${isStaged(tenantNo)}
        AND EXISTS (SELECT 1 FROM membership t
          WHERE t.tenant_no = ${tenantNo} AND t.group_id = m.group_id AND t.member_id = m.member_id)
      ON CONFLICT DO NOTHING`.execute(tx);
  }
  await tellChanges(tx, round, 'added', [...(await onlyVisible(tx, tenantNo, kept)), ...visible]);
}

/** Of whom the mirror does not know: told at the round's end, or, where a scope keeps them out, when they are let in. */
async function noteListed(tx: Tx, tenantNo: number, listed: readonly Membership[]): Promise<void> {
  await sql`
    INSERT INTO membership_word (tenant_no, group_id, member_id, source)
    SELECT ${tenantNo}::int, m.group_id, m.member_id, 'look' FROM ${pairs(listed)}
    WHERE NOT ${isStaged(tenantNo)} AND EXISTS (SELECT 1 FROM membership t
      WHERE t.tenant_no = ${tenantNo} AND t.group_id = m.group_id AND t.member_id = m.member_id AND NOT t.told)
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** What Graph did not list: hidden after the first look, gone after the second. */
async function settleRest(
  tx: Tx,
  round: FencedRound,
  restored: RestoredObject,
  listed: readonly Membership[],
): Promise<'settled'> {
  const { tenantNo } = round;
  const { kind, id } = restored;
  const look = await hold(tx, tenantNo, restored);
  if (!look) return 'settled';
  // Lists of members leave service principals out: their absence says nothing.
  const principals = sql`m.group_id = ${id}::uuid AND m.member_type = 'servicePrincipal'`;
  if (look === 'first') {
    await tellChanges(tx, round, 'added', await tellKept(tx, tenantNo, restored, principals));
    await sql`
      UPDATE restored_object SET looked_at = now(), looked_in = ${round.id}
      WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ${id}::uuid`.execute(tx);
    return 'settled';
  }
  const other = sql`CASE WHEN m.group_id = ${id}::uuid THEN m.member_id ELSE m.group_id END`;
  const { rows: missed } = await sql<MembershipRow>`
    SELECT m.group_id, m.member_id, m.member_type FROM membership m
    WHERE m.tenant_no = ${tenantNo} AND (m.group_id = ${id}::uuid OR m.member_id = ${id}::uuid) AND NOT (${principals})
      AND (EXISTS (SELECT 1 FROM membership_word w WHERE w.tenant_no = m.tenant_no
          AND w.group_id = m.group_id AND w.member_id = m.member_id AND w.source = 'look')
        OR NOT m.told AND NOT ${isSpokenOf(tenantNo)})
      AND NOT EXISTS (SELECT 1 FROM unnest(${arrayText(listed.map((row) => row.groupId))}::uuid[],
          ${arrayText(listed.map((row) => row.memberId))}::uuid[]) AS l(group_id, member_id)
        WHERE l.group_id = m.group_id AND l.member_id = m.member_id)
      -- Graph lists nobody who is deleted; those memberships are kept, and hidden, for the other's sake.
      AND NOT EXISTS (SELECT 1 FROM directory_user o WHERE o.tenant_no = ${tenantNo} AND o.id = ${other} AND o.deleted_at IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM directory_group o WHERE o.tenant_no = ${tenantNo} AND o.id = ${other} AND o.deleted_at IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = ${tenantNo} AND s.kind IN ('user', 'group')
        AND s.object_id = ${other})`.execute(tx);
  const wereSeen = await onlyVisible(tx, tenantNo, missed);
  await sql`
    DELETE FROM membership t USING unnest(${arrayText(missed.map((row) => row.group_id))}::uuid[],
      ${arrayText(missed.map((row) => row.member_id))}::uuid[]) AS m(group_id, member_id)
    WHERE t.tenant_no = ${tenantNo} AND t.group_id = m.group_id AND t.member_id = m.member_id`.execute(tx);
  const events = wereSeen.map((row) => membershipEvent('removed', row));
  // It may have been the last one that kept somebody in the scope.
  const left = missed.map((row) => ({ kind: row.member_type, id: row.member_id }));
  await addMembersToScope(tx, tenantNo, [restored, ...left]);
  await sql`
    DELETE FROM restored_object WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ${id}::uuid`.execute(
    tx,
  );
  const told = await tellKept(tx, tenantNo, restored, sql`NOT ${isRestored(tenantNo)}`);
  await sql`
    DELETE FROM membership_word m
    WHERE m.tenant_no = ${tenantNo} AND (m.group_id = ${id}::uuid OR m.member_id = ${id}::uuid)
      AND NOT ${isRestored(tenantNo)}`.execute(tx);
  await addToRound(tx, round, [...events, ...told.map((row) => membershipEvent('added', row))]);
  return 'settled';
}

/** Reads are not that far yet, or the object is gone again and the feed will say so. */
async function notSeen(tx: Tx, round: FencedRound, restored: RestoredObject): Promise<'settled'> {
  const { tenantNo } = round;
  const { kind, id } = restored;
  if (!(await hold(tx, tenantNo, restored))) return 'settled';
  const { rows } = await sql`
    UPDATE restored_object SET looked_in = ${round.id}
    WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ${id}::uuid
      AND restored_at > now() - ${READS_LAG_AT_MOST_MS} * interval '1 millisecond' RETURNING 1`.execute(tx);
  if (rows.length > 0) return 'settled';
  await sql`
    DELETE FROM restored_object WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ${id}::uuid`.execute(
    tx,
  );
  await tellChanges(tx, round, 'added', await tellKept(tx, tenantNo, restored, sql`NOT ${isRestored(tenantNo)}`));
  return 'settled';
}

/** Which look this is; undefined where the object has gone, or is going, again. */
async function hold(tx: Tx, tenantNo: number, { kind, id }: RestoredObject): Promise<'first' | 'second' | undefined> {
  const { rows } = await sql<{ first: boolean }>`
    SELECT looked_at IS NULL AS first FROM restored_object o
    WHERE o.tenant_no = ${tenantNo} AND o.kind = ${kind} AND o.object_id = ${id}::uuid
      AND NOT EXISTS (SELECT 1 FROM staged_removal s
        WHERE s.tenant_no = o.tenant_no AND s.kind = o.kind AND s.object_id = o.object_id)
    FOR UPDATE`.execute(tx);
  const [row] = rows;
  return row && (row.first ? 'first' : 'second');
}

/** Tells kept memberships of the object that fit `where`, except those whose removal waits for the round's end. */
async function tellKept(
  tx: Tx,
  tenantNo: number,
  { id }: RestoredObject,
  where: RawBuilder<unknown>,
): Promise<readonly MembershipRow[]> {
  const { rows } = await sql<MembershipRow>`
    UPDATE membership m SET told = true
    WHERE m.tenant_no = ${tenantNo} AND (m.group_id = ${id}::uuid OR m.member_id = ${id}::uuid) AND NOT m.told
      AND ${where} AND NOT ${isStaged(tenantNo)} AND ${isKnown(tenantNo, sql`m`)}
    RETURNING m.group_id, m.member_id, m.member_type`.execute(tx);
  return onlyVisible(tx, tenantNo, rows);
}

async function tellChanges(
  tx: Tx,
  round: FencedRound,
  change: 'added' | 'removed',
  rows: readonly MembershipRow[],
): Promise<void> {
  await addToRound(
    tx,
    round,
    rows.map((row) => membershipEvent(change, row)),
  );
}

async function addToRound(tx: Tx, round: FencedRound, events: readonly NewEvent[]): Promise<void> {
  await tellInRound(tx, round, { written: 0, events });
}

// Of the membership `m` of the statement around:

const pairs = (rows: readonly { readonly groupId: string; readonly memberId: string }[]): RawBuilder<unknown> => sql`
  unnest(${arrayText(rows.map((row) => row.groupId))}::uuid[], ${arrayText(rows.map((row) => row.memberId))}::uuid[])
    AS m(group_id, member_id)`;

const isStaged = (tenantNo: number): RawBuilder<unknown> => sql`
  EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = ${tenantNo} AND s.kind = 'membership'
    AND s.object_id = m.group_id AND s.member_id = m.member_id)`;

const isKnown = (tenantNo: number, row: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  CASE ${row}.member_type
    WHEN 'user' THEN EXISTS (SELECT 1 FROM directory_user o WHERE o.tenant_no = ${tenantNo} AND o.id = ${row}.member_id)
    WHEN 'group' THEN EXISTS (SELECT 1 FROM directory_group o WHERE o.tenant_no = ${tenantNo} AND o.id = ${row}.member_id)
    ELSE true END`;
