import { sql } from 'kysely';
import { foldPage, type FoldedPage } from '../domain/delta.ts';
import { KIND_OF, type ObjectKind } from '../domain/directory.ts';
import type { NewEvent } from '../domain/event.ts';
import { driftOf } from '../domain/reconcile.ts';
import { advance } from './advance.ts';
import { isDuplicate } from './copy.ts';
import { addDrift } from './drift.ts';
import { membershipEvent, type MembershipRow, objectEvent, type ObjectChange } from './changes.ts';
import { tell, tellInRound } from './events.ts';
import { type FencedRound, lockRound } from './fence.ts';
import { importPage } from './import-page.ts';
import { isOverlong } from './leads-nowhere.ts';
import { arrayText, tellWaiting, visibleAround, writeMemberships } from './memberships.ts';
import { writeObjects } from './objects.ts';
import { forgetMet, markMet } from './met.ts';
import { hasPartial, notePartial, partialShown } from './partial.ts';
import { hearOfPartial, withoutTold } from './partial-told.ts';
import { advancePick } from './pick.ts';
import { hearMemberships, keepBack, lookForMore } from './restored.ts';
import type { Database, Tx } from './schema.ts';
import { addMembersOfDue } from './scope/due.ts';
import { type ScopeRow, scopeColumn } from './scope/in-scope.ts';
import { listDeletedLater } from './scope/deleted.ts';
import { withinScope } from './scope/page.ts';
import { hasSkipped, recordSkipped } from './skipped.ts';
import { heardOfSuspects } from './suspects.ts';
import { stageMemberships, stageObjects, unstage } from './staged.ts';
import type { Fence, SyncStore } from './face/sync.ts';

/**
 * Applies pages as if they were one: their rows, events and the checkpoint, all or nothing, and nothing at all behind a raised
 * fence.
 */
export function createApplyPages(db: Database): SyncStore['applyPages'] {
  return (fence, pages) => {
    // Most rounds find nothing: one statement is then the whole transaction.
    if (pages.every((page) => page.items.length === 0 && !hasSkipped(page)))
      return advance(db, fence, pages, { changes: 0, isNews: false, events: [] });
    const folded = foldPage(pages.flatMap(({ items }) => items));
    const apply = (copies: boolean) => applyFolded(db, fence, pages, folded, copies);
    // What was thought to be new and is not costs the page a second try: rare, since nothing was there before.
    return apply(true).catch((error: unknown) => {
      if (isDuplicate(error)) return apply(false);
      throw error;
    });
  };
}

type FeedPages = Parameters<SyncStore['applyPages']>[1];

function applyFolded(
  db: Database,
  fence: Fence,
  pages: FeedPages,
  folded: FoldedPage,
  copies: boolean,
): ReturnType<SyncStore['applyPages']> {
  return db.transaction().execute(async (tx) => {
    const round = await holdPage(tx, fence);
    if (!round) return 'superseded';
    const kind = KIND_OF[fence.feed];
    const fullness = round.kind === 'full' ? 'whole' : 'partial';
    const stored = round.scope ? await withinScope(tx, round, round.scope, kind, folded, fullness) : folded;
    const unseen = round.overlong && round.marks && (await hasUnseen(tx, round.tenantNo, kind, stored));
    const { written, events, partial }: Written =
      copies && isImport(round, stored)
        ? await importPage(tx, round, kind, stored)
        : await writePage(tx, await lookAround(tx, round), kind, stored, round.scope?.widening);
    for (const page of pages) await recordSkipped(tx, fence, page);
    const changes = round.quiet ? written : events.length;
    const isNews = unseen || written > 0 || events.length > 0;
    const advanced = await advance(tx, fence, pages, { changes, isNews, events });
    await tell(tx, fence.tenantNo, events);
    return partial && advanced !== 'superseded' ? { ...advanced, partial: true } : advanced;
  });
}

/** Nothing was there when the round began, and nothing that the page says goes against what an earlier one said. */
function isImport({ quiet, marks, staged, scope }: HeldPage, { removed, left }: FoldedPage): boolean {
  return quiet && !marks && !staged && scope === null && removed.length === 0 && left.length === 0;
}

/** Applies objects that were asked for by id, as their feed sees them now: what a page does, but for the checkpoint. */
export function createApplyPicked(db: Database): SyncStore['applyPicked'] {
  return (fence, wanted, page) =>
    db.transaction().execute(async (tx) => {
      const round = await holdPage(tx, fence);
      if (!round) return 'superseded';
      const kind = KIND_OF[fence.feed];
      const { why } = wanted;
      const read = foldPage(page.items);
      // What a second look sees counts by rules of its own.
      const folded = why === 'second_look' ? read : await withoutTold(tx, round.tenantNo, kind, read);
      if (why === 'second_look') {
        // What an earlier look met that was cut short says nothing of this one.
        if (wanted.link === undefined) await forgetMet(tx, 'second_look_mark', round.tenantNo);
        const objects = folded.objects.map(({ id }) => id);
        await markMet(tx, 'second_look_mark', round.tenantNo, kind, { ...folded, objects });
      }
      const stored = round.scope ? await withinScope(tx, round, round.scope, kind, folded, 'picked') : folded;
      if (round.scope && kind === 'group' && why !== 'second_look') await listDeletedLater(tx, round.tenantNo);
      // What a full round only missed is told as its own pages are.
      const letIn =
        round.scope !== null && (why === 'due' || why === 'assigned' || (why === 'missed' && round.scope.widening));
      const around = await lookAround(tx, round);
      const written = await writePage(tx, { ...around, whole: true, suspected: false }, kind, stored, letIn);
      await recordSkipped(tx, fence, page);
      // Members of a group that is only looked at are told for the first time, too, and leave no trace.
      const isNews = written.written > 0 || written.events.length > 0 || folded.joined.length > 0;
      const faulty = await advancePick(tx, round, fence.feed, wanted, page, isNews);
      if (why === 'partial') await partialShown(tx, round, wanted, folded.objects, page.nextLink === undefined);
      if (why === 'second_look') await addDrift(tx, round.tenantNo, driftOf(written.events));
      const changes = await tellInRound(tx, round, written);
      return faulty ? { changes, faulty } : { changes };
    });
}

interface HeldPage extends FencedRound {
  readonly staged: boolean;
  readonly held: boolean;
  /** The feed had far more pages by now than a full round. */
  readonly overlong: boolean;
  /** Null where the whole directory is mirrored. */
  readonly scope: ScopeRow | null;
}

interface PageRound extends HeldPage {
  /** Something is suspect; what the feed itself says of it counts first. */
  readonly suspected: boolean;
  /** Someone is, or was a moment ago, soft-deleted: what is said of memberships may settle theirs. */
  readonly kept: boolean;
  /** Something is to be asked for whole; what the feed says of it counts first. */
  readonly noted: boolean;
}

/**
 * A first import need not wait for the disk at each page: a server that crashes loses the last pages together with their
 * checkpoint, and they are fetched again. What ends the round waits, and all before it with it.
 */
const LAZY_WHERE_QUIET = sql`CASE WHEN r.quiet THEN set_config('synchronous_commit', 'off', true) END AS lazy`;

/** Locks the feed's checkpoint under the fence's epoch. */
async function holdPage(tx: Tx, { tenantNo, feed, epoch }: Fence): Promise<HeldPage | undefined> {
  const { rows } = await sql<Omit<HeldPage, 'tenantNo'>>`
    /* hold_page */ SELECT r.id, r.kind, r.quiet, r.marks, ${LAZY_WHERE_QUIET}, ${scopeColumn(sql`c.tenant_no`)} AS scope,
      ${isOverlong(sql`c.pages`, sql`c.full_pages`)} AS overlong,
      EXISTS (SELECT 1 FROM staged_removal s WHERE s.tenant_no = c.tenant_no) AS staged,
      EXISTS (SELECT 1 FROM held_set h WHERE h.tenant_no = c.tenant_no) AS held
    FROM checkpoint c JOIN round r ON r.tenant_no = c.tenant_no
    WHERE c.tenant_no = ${tenantNo} AND c.feed = ${feed} AND c.epoch = ${epoch} AND r.completed_at IS NULL
    FOR UPDATE OF c`.execute(tx);
  const [round] = rows;
  if (!round) return undefined;
  // What is visible depends on both feeds: where it is told, their pages go one after the other.
  if (!round.quiet) await lockRound(tx, tenantNo);
  return { ...round, tenantNo };
}

/** What else a page may touch: asked apart, since planning it costs more than all else about a page of a first import. */
async function lookAround(tx: Tx, round: HeldPage): Promise<PageRound> {
  const of = (table: 'suspect' | 'restored_object' | 'directory_user' | 'directory_group', where = sql``) =>
    sql`EXISTS (SELECT 1 FROM ${sql.table(table)} WHERE tenant_no = ${round.tenantNo} ${where})`;
  const deleted = sql`AND deleted_at IS NOT NULL`;
  const { rows } = await sql<Pick<PageRound, 'suspected' | 'kept' | 'noted'>>`
    SELECT ${of('suspect')} AS suspected, ${hasPartial(sql`${round.tenantNo}`)} AS noted,
      ${of('restored_object')} OR ${of('directory_user', deleted)} OR ${of('directory_group', deleted)} AS kept`.execute(
    tx,
  );
  const [around] = rows;
  if (!around) throw new Error('A SELECT without FROM returned no row');
  return { ...round, ...around };
}

interface Written {
  readonly written: number;
  readonly events: readonly NewEvent[];
  /** Something appeared of which only a part was told. */
  readonly partial?: boolean;
}

async function writePage(
  tx: Tx,
  round: PageRound & { readonly whole?: boolean },
  kind: ObjectKind,
  page: FoldedPage,
  /** What is new here is so by the scope, and was in the directory before. */
  letIn = false,
): Promise<Written> {
  const { tenantNo } = round;
  if (round.suspected) await heardOfSuspects(tx, tenantNo, kind, page);
  const unstaged = round.staged ? await unstage(tx, tenantNo, kind, page) : [];
  const released = round.held ? await unstage(tx, tenantNo, kind, page, 'held_removal') : [];
  const objects =
    page.objects.length > 0 ? await writeObjects(tx, round, kind, page.objects) : { written: 0, changes: [] };
  const restored = objects.changes.filter((change) => change.was_deleted).map((change) => change.id);
  if (restored.length > 0) await keepBack(tx, round, kind, restored);
  if (round.scope && kind === 'group') await addMembersOfDue(tx, tenantNo, restored);
  const created = objects.changes.filter((change) => !change.existed);
  if (!round.scope) await lookForMore(tx, tenantNo, kind, created);
  const news = [...created.map((change) => change.id), ...restored, ...unstaged, ...released];
  const partial = !round.whole && round.kind === 'delta' && (await notePartial(tx, tenantNo, kind, news, page.objects));
  if (!round.whole && (round.noted || partial)) await hearOfPartial(tx, tenantNo, kind, page);
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
    partial,
    events: [
      ...objects.changes.map((change) => objectEvent(kind, change, letIn && !change.existed ? 'scope' : 'directory')),
      ...Array.from(added.values(), (row) => membershipEvent('added', row, { reason: letIn ? 'scope' : 'directory' })),
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

/** Whether a full round meets something for the first time. */
async function hasUnseen(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  { objects, joined }: FoldedPage,
): Promise<boolean> {
  const { rows } = await sql<{ unseen: boolean }>`
    SELECT EXISTS (SELECT 1 FROM unnest(${arrayText(objects.map(({ id }) => id))}::uuid[]) AS i(id)
        WHERE NOT EXISTS (SELECT 1 FROM round_mark k
          WHERE k.tenant_no = ${tenantNo} AND k.kind = ${kind} AND k.object_id = i.id))
      OR EXISTS (SELECT 1 FROM unnest(${arrayText(joined.map((m) => m.groupId))}::uuid[],
          ${arrayText(joined.map((m) => m.memberId))}::uuid[]) AS i(group_id, member_id)
        WHERE NOT EXISTS (SELECT 1 FROM round_mark k WHERE k.tenant_no = ${tenantNo} AND k.kind = 'membership'
          AND k.object_id = i.group_id AND k.member_id = i.member_id)) AS unseen`.execute(tx);
  return rows[0]?.unseen ?? true;
}
