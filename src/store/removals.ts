import { sql, type RawBuilder } from 'kysely';
import type { Attributes, ObjectKind } from '../domain/directory.ts';
import type { NewEvent } from '../domain/event.ts';
import { membershipEvent, type MembershipRow, objectEvent, objectGone } from './changes.ts';
import { blankEvents } from './erasure.ts';
import { tellInRound } from './events.ts';
import { fenced, type FencedRound } from './fence.ts';
import { type Excess, hold, mergeWithHeld, weigh } from './hold.ts';
import { awaitsLook } from './kept.ts';
import { arrayText, onlyVisible, visibleAround } from './memberships.ts';
import { OBJECT_TABLE } from './objects.ts';
import { forgetRestored } from './restored.ts';
import type { Database, StagedReason, Tx } from './schema.ts';
import { addStillInside, dropDue } from './scope/due.ts';
import { type ScopeRow, scopeColumn } from './scope/in-scope.ts';
import { keepNoneOutside, stageLeavers, tellKnown } from './scope/leavers.ts';
import type { Fence, RemovalLooks, SyncStore } from './face/sync.ts';
import { believeUnseen, groupsOfUnseen, stageUnseen } from './sweep.ts';

/** Rows, and with them events, that one transaction removes: it must not hold up the feed for long. */
const BATCH_ROWS = 1_000;

export interface Batch {
  readonly events: readonly NewEvent[];
  /** Rows of the mirror that went or changed. */
  readonly written: number;
  readonly more: boolean;
}

// The statements below are so written that they go by an index however wrong the planner's idea of a table is: one that
// was empty a moment ago, as these mostly are, passes for empty until it is analysed.

/** Where removals wait: staged by a round, or held for a person. */
export interface Waiting {
  readonly table: RawBuilder<unknown>;
  readonly where: RawBuilder<unknown>;
}
const STAGED: Waiting = { table: sql.table('staged_removal'), where: sql`true` };

type Scope = Pick<FencedRound, 'tenantNo' | 'quiet'>;
type Step = (tx: Tx, scope: Scope, from: Waiting) => Promise<Batch>;

/** In this order a membership's end is told before that of its group or member. */
export const REMOVAL_STEPS: readonly Step[] = [
  applyDisables,
  removeMemberships,
  (tx, scope, from) => removeObjects(tx, scope, from, 'group'),
  (tx, scope, from) => removeObjects(tx, scope, from, 'user'),
];
/** Of untold memberships those that wait for nothing: of people and groups whom a scope keeps out they are never told. */
const isToTell = (scoped: boolean): RawBuilder<unknown> =>
  scoped ? sql`m.member_type NOT IN ('user', 'group')` : sql`true`;

/** Removes at the end of a round what waited for it. May be broken off between any two batches, and repeated. */
export function createApplyRemovals(db: Database): SyncStore['applyRemovals'] {
  return async (fences, heartbeat, signal, looks) => {
    const unseen = await fenced(db, fences, stageUnseen);
    if (unseen === 'superseded') return unseen;
    if (looks && (await relistUnseen(db, fences, looks, heartbeat, signal)) === 'stopped') return 'stopped';
    const prepared = await fenced(db, fences, prepareRemovals);
    if (prepared === 'superseded') return prepared;
    heartbeat();
    if (!prepared.waiting) return 'applied';
    const { excess } = prepared;
    if (excess) {
      const confirmed = looks ? await looks.confirm(excess.suspects) : { verdict: 'hold' as const };
      if (confirmed.verdict === 'stop') return 'stopped';
      const held = await fenced(db, fences, async (tx, { tenantNo }) => {
        await hold(tx, tenantNo, excess, confirmed.sample);
        if (prepared.scope) await keepNoneOutside(tx, tenantNo, prepared.scope);
      });
      if (held === 'superseded') return held;
    }
    for (const step of [...REMOVAL_STEPS, tellUntold(prepared.scope !== null)]) {
      for (let more = true; more; heartbeat()) {
        if (signal.aborted) return 'stopped';
        const batch = await removeBatch(db, fences, step);
        if (batch === 'superseded') return batch;
        ({ more } = batch);
      }
    }
    return 'applied';
  };
}

/**
 * A full round lists no membership of somebody who is soft-deleted at that moment, and says nothing of it once they are
 * back: who was restored before their own page came looks like a leaver. So what it missed is read again first.
 */
async function relistUnseen(
  db: Database,
  fences: readonly Fence[],
  { relist }: RemovalLooks,
  heartbeat: () => void,
  signal: AbortSignal,
): Promise<'relisted' | 'stopped'> {
  const [first] = fences;
  if (!first) throw new Error('A fence is needed');
  for (;;) {
    const missed = await groupsOfUnseen(db, first.tenantNo);
    if (!missed) return 'relisted';
    heartbeat();
    if (signal.aborted || (await relist(missed)) === 'stop') return 'stopped';
    const believed = await fenced(db, fences, (tx, round) => believeUnseen(tx, round, missed));
    if (believed === 'superseded') return 'stopped';
  }
}

/** Whether anything is to be done: in most rounds nothing is. And whether it is too much to be done unasked. */
async function prepareRemovals(
  tx: Tx,
  round: FencedRound,
): Promise<{ readonly waiting: boolean; readonly scope: ScopeRow | null; readonly excess?: Excess | undefined }> {
  const { tenantNo } = round;
  const { rows: states } = await sql<{ undone: boolean; held: boolean; scope: ScopeRow | null }>`
    SELECT EXISTS (SELECT 1 FROM checkpoint WHERE tenant_no = ${tenantNo} AND NOT done) AS undone,
      EXISTS (SELECT 1 FROM held_set WHERE tenant_no = ${tenantNo}) AS held,
      ${scopeColumn(sql`${tenantNo}::int`)} AS scope`.execute(tx);
  if (states[0]?.undone !== false) throw new Error(`Tenant ${tenantNo}: a feed has not reached its deltaLink`);
  const { held, scope } = states[0];
  if (scope) await stageLeavers(tx, round, scope, held);
  if (scope && round.quiet) await tellKnown(tx, tenantNo);
  if (held) await mergeWithHeld(tx, round);
  const { rows } = await sql<{ staged: boolean; untold: boolean }>`
    SELECT EXISTS (SELECT 1 FROM staged_removal WHERE tenant_no = ${tenantNo}) AS staged,
      EXISTS (SELECT 1 FROM membership m WHERE tenant_no = ${tenantNo} AND NOT told AND NOT ${awaitsLook(tenantNo)}
        AND ${isToTell(scope !== null)}) AS untold`.execute(tx);
  const { staged, untold } = rows[0] ?? { staged: true, untold: true };
  // A first import has nothing to lose.
  const excess = staged && !round.quiet ? await weigh(tx, tenantNo) : undefined;
  if (scope && staged && !excess) await keepNoneOutside(tx, tenantNo, scope);
  return { waiting: staged || untold, scope, excess };
}

function removeBatch(db: Database, fences: readonly Fence[], step: Step): Promise<Batch | 'superseded'> {
  return fenced(db, fences, async (tx, round) => {
    const batch = await step(tx, round, STAGED);
    await tellInRound(tx, round, batch);
    return batch;
  });
}

async function applyDisables(tx: Tx, { tenantNo }: Scope, from: Waiting): Promise<Batch> {
  const { rows: staged } = await sql<{ object_id: string }>`
    DELETE FROM ${from.table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${from.table} WHERE tenant_no = ${tenantNo} AND kind = 'disable' AND ${from.where}
      ORDER BY object_id LIMIT ${sql.lit(BATCH_ROWS)}))
    RETURNING object_id`.execute(tx);
  if (staged.length === 0) return { events: [], written: 0, more: false };
  const { rows } = await sql<{ id: string; before: Attributes; after: Attributes; deleted: boolean }>`
    WITH old AS (
      SELECT id, data FROM directory_user
      WHERE tenant_no = ${tenantNo} AND id = ANY(${arrayText(staged.map((row) => row.object_id))}::uuid[])
        AND data->'accountEnabled' IS DISTINCT FROM 'false'
    )
    UPDATE directory_user u SET data = u.data || '{"accountEnabled": false}'
    FROM old WHERE u.tenant_no = ${tenantNo} AND u.id = old.id
    RETURNING u.id, old.data AS before, u.data AS after, u.deleted_at IS NOT NULL AS deleted`.execute(tx);
  const events = rows
    .filter((row) => !row.deleted)
    .map((row) => objectEvent('user', { ...row, existed: true, was_deleted: false }));
  return { events, written: rows.length, more: staged.length === BATCH_ROWS };
}

async function removeMemberships(tx: Tx, { tenantNo, quiet }: Scope, from: Waiting): Promise<Batch> {
  const { rows: staged } = await sql<Pick<MembershipRow, 'group_id' | 'member_id'>>`
    DELETE FROM ${from.table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${from.table} WHERE tenant_no = ${tenantNo} AND kind = 'membership' AND ${from.where}
      ORDER BY object_id, member_id LIMIT ${sql.lit(BATCH_ROWS)}))
    RETURNING object_id AS group_id, member_id`.execute(tx);
  if (staged.length === 0) return { events: [], written: 0, more: false };
  const pairs = sql`
    unnest(${arrayText(staged.map((row) => row.group_id))}::uuid[], ${arrayText(staged.map((row) => row.member_id))}::uuid[])
      AS i(group_id, member_id)`;
  const { rows: members } = await sql<MembershipRow>`
    SELECT m.group_id, m.member_id, m.member_type FROM ${pairs}
    JOIN membership m ON m.tenant_no = ${tenantNo} AND m.group_id = i.group_id AND m.member_id = i.member_id`.execute(
    tx,
  );
  const visible = quiet ? [] : await onlyVisible(tx, tenantNo, members);
  await sql`
    DELETE FROM membership m USING ${pairs}
    WHERE m.tenant_no = ${tenantNo} AND m.group_id = i.group_id AND m.member_id = i.member_id`.execute(tx);
  return {
    events: visible.map((row) => membershipEvent('removed', row)),
    written: members.length,
    more: staged.length === BATCH_ROWS,
  };
}

/**
 * Soft-deleted objects stay with their memberships, hidden; those gone for good take them along. Of what leaves the scope
 * nothing is kept but, untold, its memberships in groups that stay: it is still in them.
 */
async function removeObjects(tx: Tx, { tenantNo, quiet }: Scope, from: Waiting, kind: ObjectKind): Promise<Batch> {
  const staged = await takeObjects(tx, tenantNo, from, kind);
  if (staged.length === 0) return { events: [], written: 0, more: false };
  const table = OBJECT_TABLE[kind];
  const { rows: known } = await sql<{ id: string; data: Attributes; deleted: boolean }>`
    SELECT id, data, deleted_at IS NOT NULL AS deleted FROM ${table}
    WHERE tenant_no = ${tenantNo} AND id = ANY(${arrayText(staged.map((row) => row.id))}::uuid[])
    ORDER BY id`.execute(tx);
  const seen = known.filter((row) => !row.deleted);
  const unknown = staged.filter(({ id }) => !known.some((row) => row.id === id));
  const out = new Set(idsOf(staged.filter((row) => row.reason === 'scope' || row.reason === 'rescoped')));
  const hidden = quiet ? [] : await visibleAround(tx, tenantNo, idsOf([...seen, ...unknown]));
  const dead = idsOf(staged.filter((row) => row.reason === 'deleted'));
  await removeFromScope(tx, tenantNo, kind, [...out]);
  if (dead.length > 0) {
    const ids = sql`${arrayText(dead)}::uuid[]`;
    await sql`DELETE FROM ${table} WHERE tenant_no = ${tenantNo} AND id = ANY(${ids})`.execute(tx);
    await sql`DELETE FROM membership WHERE tenant_no = ${tenantNo} AND member_id = ANY(${ids})`.execute(tx);
    await sql`DELETE FROM membership WHERE tenant_no = ${tenantNo} AND group_id = ANY(${ids})`.execute(tx);
  }
  // Created, joined to groups and soft-deleted between two rounds: Graph tells the memberships all the same, and keeps
  // them. A row without attributes hides them until a restore brings the object whole.
  const ghosts = idsOf(unknown.filter((row) => row.reason === 'changed'));
  if (ghosts.length > 0) {
    await sql`
      INSERT INTO ${table} (tenant_no, id, data, deleted_at)
      SELECT ${tenantNo}::int, id, '{}', now() FROM unnest(${arrayText(ghosts)}::uuid[]) AS i(id)
      ON CONFLICT DO NOTHING`.execute(tx);
  }
  await sql`
    UPDATE ${table} SET deleted_at = now()
    WHERE tenant_no = ${tenantNo} AND deleted_at IS NULL AND id = ANY(${arrayText(seen.map((row) => row.id))}::uuid[])`.execute(
    tx,
  );
  await forgetRestored(tx, tenantNo, idsOf(staged));
  // A person who is gone for good, or is none of ours any more, leaves an id, in this event as in those before it.
  const erased = new Set(kind === 'user' ? [...dead, ...out] : []);
  const reasonOf = (...ids: readonly string[]) => (ids.some((id) => out.has(id)) ? 'scope' : 'directory');
  await blankEvents(tx, tenantNo, [...erased]);
  return {
    events: [
      ...hidden.map((row) => membershipEvent('removed', row, { reason: reasonOf(row.group_id, row.member_id) })),
      ...seen.map((row) => objectGone(kind, row.id, erased.has(row.id) ? undefined : row.data, reasonOf(row.id))),
    ],
    written: known.length,
    more: true,
  };
}

const idsOf = (rows: readonly { readonly id: string }[]): readonly string[] => rows.map(({ id }) => id);

async function removeFromScope(tx: Tx, tenantNo: number, kind: ObjectKind, out: readonly string[]): Promise<void> {
  if (out.length === 0) return;
  await dropDue(tx, tenantNo, kind, out);
  const ids = sql`${arrayText(out)}::uuid[]`;
  await sql`DELETE FROM ${OBJECT_TABLE[kind]} WHERE tenant_no = ${tenantNo} AND id = ANY(${ids})`.execute(tx);
  await sql`UPDATE membership SET told = false WHERE tenant_no = ${tenantNo} AND member_id = ANY(${ids})`.execute(tx);
  if (kind === 'user') return;
  await sql`DELETE FROM membership WHERE tenant_no = ${tenantNo} AND group_id = ANY(${ids})`.execute(tx);
  await addStillInside(tx, tenantNo, out);
}

interface StagedObject {
  readonly id: string;
  readonly reason: StagedReason;
}

/** As many objects as have a batch of memberships around them, one at least. Not one more is counted: a group may be large. */
async function takeObjects(
  tx: Tx,
  tenantNo: number,
  from: Waiting,
  kind: ObjectKind,
): Promise<readonly StagedObject[]> {
  const next = (after: RawBuilder<unknown>) => sql`
    SELECT object_id, reason FROM ${from.table}
    WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id > ${after} AND ${from.where} ORDER BY object_id LIMIT 1`;
  const around = sql`
    (SELECT count(*) FROM membership m WHERE m.tenant_no = ${tenantNo} AND m.group_id = n.object_id)
      + (SELECT count(*) FROM membership m WHERE m.tenant_no = ${tenantNo} AND m.member_id = n.object_id)`;
  const { rows: taken } = await sql<StagedObject>`
    WITH RECURSIVE taken AS (
      SELECT n.object_id, n.reason, 1 + ${around} AS rows
      FROM (${next(sql`'00000000-0000-0000-0000-000000000000'::uuid`)}) n
      UNION ALL SELECT n.object_id, n.reason, t.rows + 1 + ${around}
      FROM taken t CROSS JOIN LATERAL (${next(sql`t.object_id`)}) n WHERE t.rows < ${sql.lit(BATCH_ROWS)}
    )
    SELECT object_id AS id, reason FROM taken ORDER BY object_id`.execute(tx);
  if (taken.length === 0) return taken;
  await sql`
    DELETE FROM ${from.table}
    WHERE tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ANY(${arrayText(taken.map(({ id }) => id))}::uuid[])`.execute(
    tx,
  );
  return taken;
}

/** What still waits for its member to be known is told without it. */
const tellUntold =
  (scoped: boolean): Step =>
  async (tx, { tenantNo }) => {
    const { rows } = await sql<MembershipRow & { known: boolean }>`
    UPDATE membership m SET told = true
    WHERE m.ctid = ANY (ARRAY(SELECT ctid FROM membership m
      WHERE tenant_no = ${tenantNo} AND NOT told AND NOT ${awaitsLook(tenantNo)} AND ${isToTell(scoped)}
      LIMIT ${sql.lit(BATCH_ROWS)}))
    RETURNING m.group_id, m.member_id, m.member_type,
      EXISTS (SELECT 1 FROM directory_user o WHERE o.tenant_no = ${tenantNo} AND o.id = m.member_id)
      OR EXISTS (SELECT 1 FROM directory_group o WHERE o.tenant_no = ${tenantNo} AND o.id = m.member_id) AS known`.execute(
      tx,
    );
    const visible = await onlyVisible(tx, tenantNo, rows);
    return {
      events: visible.map((row) => membershipEvent('added', row, { memberKnown: row.known })),
      written: 0,
      more: rows.length === BATCH_ROWS,
    };
  };
