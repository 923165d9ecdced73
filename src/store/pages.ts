import { sql } from 'kysely';
import { foldPage, type FoldedPage } from '../domain/delta.ts';
import type { DeltaPage, Feed, ObjectKind } from '../domain/directory.ts';
import type { NewEvent } from '../domain/event.ts';
import { membershipEvent, type MembershipRow, netOf, objectEvent, type ObjectChange } from './changes.ts';
import { tell, tellInRound } from './events.ts';
import { type FencedRound, lockRound } from './fence.ts';
import { tellWaiting, visibleAround, writeMemberships } from './memberships.ts';
import { writeObjects } from './objects.ts';
import { hearMemberships, keepBack } from './restored.ts';
import type { Database, Tx } from './schema.ts';
import { stageMemberships, stageObjects, unstage } from './staged.ts';
import type { Fence, SyncStore } from './store.ts';

export const KIND_OF: Readonly<Record<Feed, ObjectKind>> = { users: 'user', groups: 'group' };

/** Applies a page: its rows, their events and the checkpoint, all or nothing, and nothing at all behind a raised fence. */
export function createApplyPage(db: Database): SyncStore['applyPage'] {
  return (fence, page) => {
    // Most rounds find nothing: one statement is then the whole transaction.
    if (page.items.length === 0) return advance(db, fence, page, 0, []);
    const folded = foldPage(page.items);
    return db.transaction().execute(async (tx) => {
      const round = await holdPage(tx, fence);
      if (!round) return 'superseded';
      const { written, events } = await writePage(tx, round, KIND_OF[fence.feed], folded);
      const changes = round.quiet ? written : events.length;
      const advanced = await advance(tx, fence, page, changes, events);
      await tell(tx, fence.tenantNo, events);
      return advanced;
    });
  };
}

/** Applies objects that were asked for by id, as their feed sees them now: what a page does, but for the checkpoint. */
export function createApplyPicked(db: Database): SyncStore['applyPicked'] {
  return (fence, items) =>
    db.transaction().execute(async (tx) => {
      const round = await holdPage(tx, fence);
      if (!round) return 'superseded';
      const written = await writePage(tx, round, KIND_OF[fence.feed], foldPage(items));
      return { changes: await tellInRound(tx, round, written) };
    });
}

interface PageRound extends FencedRound {
  readonly staged: boolean;
  readonly held: boolean;
  /** Someone is, or was a moment ago, soft-deleted: what is said of memberships may settle theirs. */
  readonly kept: boolean;
}

/** Locks the feed's checkpoint under the fence's epoch. */
async function holdPage(tx: Tx, { tenantNo, feed, epoch }: Fence): Promise<PageRound | undefined> {
  const { rows } = await sql<Omit<PageRound, 'tenantNo'>>`
    SELECT r.id, r.kind, r.quiet, r.marks,
      EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = c.tenant_no) AS staged,
      EXISTS (SELECT 1 FROM held_set h WHERE h.tenant_no = c.tenant_no) AS held,
      EXISTS (SELECT 1 FROM restored_object o WHERE o.tenant_no = c.tenant_no)
        OR EXISTS (SELECT 1 FROM directory_user o WHERE o.tenant_no = c.tenant_no AND o.deleted_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM directory_group o WHERE o.tenant_no = c.tenant_no AND o.deleted_at IS NOT NULL) AS kept
    FROM checkpoint c JOIN round r ON r.tenant_no = c.tenant_no
    WHERE c.tenant_no = ${tenantNo} AND c.feed = ${feed} AND c.epoch = ${epoch} AND r.completed_at IS NULL
    FOR UPDATE OF c`.execute(tx);
  const [round] = rows;
  if (!round) return undefined;
  // What is visible depends on both feeds: where it is told, their pages go one after the other.
  if (!round.quiet) await lockRound(tx, tenantNo);
  return { ...round, tenantNo };
}

async function writePage(
  tx: Tx,
  round: PageRound,
  kind: ObjectKind,
  page: FoldedPage,
): Promise<{ written: number; events: readonly NewEvent[] }> {
  const { tenantNo } = round;
  if (round.staged) await unstage(tx, tenantNo, kind, page);
  if (round.held) await unstage(tx, tenantNo, kind, page, 'held_removal');
  const objects =
    page.objects.length > 0 ? await writeObjects(tx, round, kind, page.objects) : { written: 0, changes: [] };
  const restored = objects.changes.filter((change) => change.was_deleted).map((change) => change.id);
  if (restored.length > 0) await keepBack(tx, round, kind, restored);
  const memberships =
    page.joined.length > 0 ? await writeMemberships(tx, round, page.joined) : { written: 0, visible: [] };
  if (page.removed.length > 0) await stageObjects(tx, tenantNo, kind, page.removed);
  if (page.left.length > 0) await stageMemberships(tx, tenantNo, page.left);
  const written = objects.written + memberships.written;
  if (round.quiet) return { written, events: [] };
  const appeared = await membershipsOfAppeared(tx, tenantNo, objects.changes);
  const heard = round.kept ? await hearMemberships(tx, tenantNo, page) : [];
  const added = new Map(
    [...appeared, ...memberships.visible, ...heard].map((row) => [`${row.group_id}:${row.member_id}`, row]),
  );
  return {
    written,
    events: [
      ...objects.changes.map((change) => objectEvent(kind, change)),
      ...Array.from(added.values(), (row) => membershipEvent('added', row)),
    ],
  };
}

/** What becomes visible with objects that were unknown, or deleted. */
async function membershipsOfAppeared(
  tx: Tx,
  tenantNo: number,
  changes: readonly ObjectChange[],
): Promise<readonly MembershipRow[]> {
  const created = changes.filter((change) => !change.existed).map((change) => change.id);
  const restored = changes.filter((change) => change.was_deleted).map((change) => change.id);
  return [...(await tellWaiting(tx, tenantNo, created)), ...(await visibleAround(tx, tenantNo, restored))];
}

/** Moves the checkpoint on under the fence, and adds up the round. */
async function advance(
  tx: Database,
  { tenantNo, feed, epoch }: Fence,
  { nextLink, deltaLink }: DeltaPage,
  changes: number,
  events: readonly NewEvent[],
): Promise<{ changes: number } | 'superseded'> {
  const net = netOf(events);
  const { rows } = await sql`
    WITH c AS (
      UPDATE checkpoint SET next_link = ${nextLink ?? null}, delta_link = coalesce(${deltaLink ?? null}, delta_link),
        done = ${deltaLink !== undefined}
      WHERE tenant_no = ${tenantNo} AND feed = ${feed} AND epoch = ${epoch}
        AND EXISTS (SELECT 1 FROM round r WHERE r.tenant_no = ${tenantNo} AND r.completed_at IS NULL)
      RETURNING tenant_no
    )
    UPDATE round r SET pages = r.pages + 1, changes = r.changes + ${changes}, users = r.users + ${net.users},
      groups = r.groups + ${net.groups}, memberships = r.memberships + ${net.memberships}
    FROM c WHERE r.tenant_no = c.tenant_no
    RETURNING r.pages`.execute(tx);
  return rows.length > 0 ? { changes } : 'superseded';
}
