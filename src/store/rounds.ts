import { sql } from 'kysely';
import type { RoundKind } from '../domain/activities.ts';
import { type Feed, FEEDS } from '../domain/directory.ts';
import { chosenOf, scopeOf, type Chosen } from '../domain/scope.ts';
import { COUNT_EVERY_MS } from '../domain/reconcile.ts';
import { mayFetch } from '../domain/tenant.ts';
import { type Checkpoint, fenced, type FencedRound, lockCheckpoints, lockRound, raiseFences } from './fence.ts';
import { hasPartial } from './partial.ts';
import { forgetReconcile } from './reconcile.ts';
import { beginFullScope } from './scope/assigned.ts';
import { countUnresolved } from './scope/groups.ts';
import { scopeColumn } from './scope/in-scope.ts';
import type { Database, RemovalKind, Tx } from './schema.ts';
import { suspectsAreDue } from './suspects.ts';
import { takeHint } from './subscriptions.ts';
import type { Fence, OpenFeed, OpenSlice, SyncStore } from './face/sync.ts';
import type { SyncSummary } from './face/tenants.ts';

/** Of a feed's checkpoint where a round begins. */
const AT_START = sql`done = false, next_link = NULL, pages = 0, barren = 0, anchor = NULL`;

type OpenInput = Parameters<SyncStore['openSlice']>[0];

/** Begins rounds, finds them again, and starts them over. */
export function createRounds(db: Database): Pick<SyncStore, 'openSlice' | 'restartAsFull' | 'setAside'> {
  return {
    openSlice: (input) => db.transaction().execute((tx) => openSlice(tx, input)),
    setAside: (fences, feed) => fenced(db, fences, (tx, round) => setAside(tx, round, feed)),
    restartAsFull: (fences) => db.transaction().execute((tx) => restartAsFull(tx, fences)),
  };
}

async function openSlice(tx: Tx, input: OpenInput): ReturnType<SyncStore['openSlice']> {
  const { tenantNo, roundId } = input;
  const tenant = await holdTenant(tx, tenantNo);
  if (!tenant) return 'halted';
  // Before the first request to Graph: a change that is told after it signals again.
  const subscriptions = await takeHint(tx, tenantNo);
  await sql`
    INSERT INTO checkpoint (tenant_no, feed) SELECT ${tenantNo}::int, unnest(${[...FEEDS]}::text[])
    ON CONFLICT DO NOTHING`.execute(tx);
  await raiseFences(tx, tenantNo);
  let checkpoints = await lockCheckpoints(tx, tenantNo);
  let round = await tx.selectFrom('round').selectAll().where('tenant_no', '=', tenantNo).forUpdate().executeTakeFirst();
  if (round?.id === roundId && round.completed_at !== null) {
    const held = await tx.selectFrom('held_set').select('since').where('tenant_no', '=', tenantNo).executeTakeFirst();
    const unresolvedGroups = tenant.within ? await countUnresolved(tx, tenantNo) : 0;
    const completed = { ...summaryOf(round, round.completed_at), ...(held ? { heldSince: held.since } : {}) };
    return { completed: { ...completed, ...(unresolvedGroups === 0 ? {} : { unresolvedGroups }) } };
  }
  const chosen = chosenOf(scopeOf(tenant.scope));
  const queryHash = withChosen(input.queryHash, chosen);
  const otherQuery = checkpoints.some(({ feed, query_hash }) => query_hash !== queryHash[feed]);
  const unfinishedFull = round?.completed_at === null && round.kind === 'full';
  if (round?.id !== roundId || (otherQuery && round.kind === 'full')) {
    // What a full round was needed for is still needed when it did not end.
    const full =
      input.kind === 'full' ||
      tenant.within?.readAll ||
      unfinishedFull ||
      otherQuery ||
      checkpoints.some(({ delta_link }) => !delta_link);
    const begin = full ? beginFull : beginDelta;
    if (full && tenant.within) await beginFullScope(tx, tenantNo);
    if (!full && round?.completed_at === null) await carryStaged(tx, tenantNo, checkpoints);
    await begin(tx, { tenantNo, roundId, quiet: tenant.last_sync === null, queryHash });
    checkpoints = await lockCheckpoints(tx, tenantNo);
    round = await tx.selectFrom('round').selectAll().where('tenant_no', '=', tenantNo).executeTakeFirstOrThrow();
  }
  const { kind, quiet } = round;
  return {
    kind,
    quiet,
    entraTenant: tenant.entra_tenant,
    restored: tenant.restored,
    partial: tenant.partial,
    suspects: kind === 'delta' && tenant.suspects,
    reconcileDue: tenant.reconcile_due ?? false,
    subscriptions,
    chosen,
    scope: tenant.within,
    feeds: openFeeds(tenantNo, kind, checkpoints),
  };
}

/** A tenant that may be fetched for; its row is held against a pause, which then comes after us and raises our fence. */
async function holdTenant(tx: Tx, tenantNo: number) {
  const tenant = await tx
    .selectFrom('tenant')
    .select(['phase', 'entra_tenant', 'last_sync', 'scope'])
    .select(scopeColumn(sql`tenant.no`).as('within'))
    .select(sql<boolean>`EXISTS (SELECT 1 FROM restored_object o WHERE o.tenant_no = tenant.no)`.as('restored'))
    .select(hasPartial(sql`tenant.no`).as('partial'))
    .select(suspectsAreDue.$castTo<boolean>().as('suspects'))
    .select(
      sql<
        boolean | null
      >`(SELECT k.comparing OR k.due_at <= now() OR k.counted_at <= now() - ${COUNT_EVERY_MS} * interval '1 ms'
        FROM reconcile k WHERE k.tenant_no = tenant.no)`.as('reconcile_due'),
    )
    .where('no', '=', tenantNo)
    .where('paused', '=', false)
    .where('deleting_at', 'is', null)
    .where('deleted_at', 'is', null)
    .forShare()
    .executeTakeFirst();
  if (!tenant || tenant.entra_tenant === null || !mayFetch(tenant.phase)) return undefined;
  return { ...tenant, entra_tenant: tenant.entra_tenant };
}

/** Links belong to the attributes that were chosen when they were made, too. */
function withChosen(base: Readonly<Record<Feed, string>>, chosen: Chosen): Readonly<Record<Feed, string>> {
  const hashOf = (feed: Feed) => [base[feed], ...chosen[feed]].join();
  return { users: hashOf('users'), groups: hashOf('groups') };
}

interface Beginning {
  readonly tenantNo: number;
  readonly roundId: string;
  readonly quiet: boolean;
  readonly queryHash: Readonly<Record<Feed, string>>;
}

async function beginDelta(tx: Tx, { tenantNo, roundId, quiet }: Beginning): Promise<void> {
  await insertRound(tx, tenantNo, { id: roundId, kind: 'delta', quiet, marks: false });
  await sql`UPDATE checkpoint SET ${AT_START} WHERE tenant_no = ${tenantNo}`.execute(tx);
}

/**
 * Of a round that another one follows before its end: what a feed told to its end is told no more, and stays; from where half
 * of one stood all is told again.
 */
async function carryStaged(tx: Tx, tenantNo: number, checkpoints: readonly Checkpoint[]): Promise<void> {
  const of = (done: boolean) => checkpoints.filter((one) => one.done === done).flatMap(({ feed }) => STAGED_BY[feed]);
  await sql`
    UPDATE staged_removal SET carried = true
    WHERE tenant_no = ${tenantNo} AND kind = ANY(${of(true)}::text[])`.execute(tx);
  await dropHalf(tx, tenantNo, of(false));
}

/** Half of a feed's word is no word. */
async function dropHalf(tx: Tx, tenantNo: number, kinds: readonly RemovalKind[]): Promise<void> {
  await sql`
    DELETE FROM staged_removal
    WHERE tenant_no = ${tenantNo} AND kind = ANY(${[...kinds]}::text[]) AND NOT carried`.execute(tx);
}

async function beginFull(tx: Tx, { tenantNo, roundId, quiet, queryHash }: Beginning): Promise<void> {
  await insertRound(tx, tenantNo, { id: roundId, kind: 'full', quiet, marks: await isMirrored(tx, tenantNo) });
  await startFeedsOver(tx, tenantNo);
  for (const feed of FEEDS) {
    await sql`
      UPDATE checkpoint SET query_hash = ${queryHash[feed]} WHERE tenant_no = ${tenantNo} AND feed = ${feed}`.execute(
      tx,
    );
  }
}

/** What an unfinished round told stays told: its sums go into those of the round that follows. */
async function insertRound(
  tx: Tx,
  tenantNo: number,
  round: { readonly id: string; readonly kind: RoundKind; readonly quiet: boolean; readonly marks: boolean },
): Promise<void> {
  await sql`
    INSERT INTO round AS r (tenant_no, id, kind, quiet, marks, started_at)
    VALUES (${tenantNo}, ${round.id}, ${round.kind}, ${round.quiet}, ${round.marks}, now())
    ON CONFLICT (tenant_no) DO UPDATE SET id = excluded.id, kind = excluded.kind, quiet = excluded.quiet,
      marks = excluded.marks, started_at = excluded.started_at, completed_at = NULL, set_aside = NULL, pages = 0,
      changes = CASE WHEN r.completed_at IS NULL THEN r.changes ELSE 0 END,
      users = CASE WHEN r.completed_at IS NULL THEN r.users ELSE 0 END,
      groups = CASE WHEN r.completed_at IS NULL THEN r.groups ELSE 0 END,
      memberships = CASE WHEN r.completed_at IS NULL THEN r.memberships ELSE 0 END`.execute(tx);
}

/** An empty mirror needs no marks: nothing in it can be gone. */
async function isMirrored(tx: Tx, tenantNo: number): Promise<boolean> {
  const { rows } = await sql<{ mirrored: boolean }>`
    SELECT EXISTS (SELECT 1 FROM directory_user WHERE tenant_no = ${tenantNo})
      OR EXISTS (SELECT 1 FROM directory_group WHERE tenant_no = ${tenantNo})
      OR EXISTS (SELECT 1 FROM membership WHERE tenant_no = ${tenantNo}) AS mirrored`.execute(tx);
  return rows[0]?.mirrored ?? true;
}

/** Old deltaLinks stay until the new ones arrive, though a full round does not use them. */
async function startFeedsOver(tx: Tx, tenantNo: number): Promise<void> {
  await sql`UPDATE checkpoint SET ${AT_START} WHERE tenant_no = ${tenantNo}`.execute(tx);
  await sql`DELETE FROM staged_removal WHERE tenant_no = ${tenantNo}`.execute(tx);
  await sql`DELETE FROM round_mark WHERE tenant_no = ${tenantNo}`.execute(tx);
  for (const table of ['pick', 'partial_object']) {
    await sql`DELETE FROM ${sql.table(table)} WHERE tenant_no = ${tenantNo}`.execute(tx);
  }
  await forgetReconcile(tx, tenantNo);
}

/** Raises the fences, so that a page of the other feed which is still on its way is not taken for one of the new round. */
async function restartAsFull(tx: Tx, fences: readonly Fence[]): Promise<'restarted' | 'superseded'> {
  const [first] = fences;
  if (!first) throw new Error('A fence is needed');
  const { tenantNo } = first;
  const checkpoints = await lockCheckpoints(tx, tenantNo);
  const held = fences.every(({ feed, epoch }) => checkpoints.some((row) => row.feed === feed && row.epoch === epoch));
  const round = held ? await lockRound(tx, tenantNo) : undefined;
  if (!round) return 'superseded';
  await insertRound(tx, tenantNo, { ...round, kind: 'full', marks: await isMirrored(tx, tenantNo) });
  await startFeedsOver(tx, tenantNo);
  await beginFullScope(tx, tenantNo);
  await raiseFences(tx, tenantNo);
  return 'restarted';
}

const STAGED_BY: Readonly<Record<Feed, readonly RemovalKind[]>> = {
  users: ['user', 'disable'],
  groups: ['group', 'membership'],
};

async function setAside(tx: Tx, { tenantNo, kind }: FencedRound, feed: Feed): Promise<'set_aside'> {
  if (kind === 'full') throw new Error(`Tenant ${tenantNo}: a full round needs all of its feeds`);
  const { numUpdatedRows: unfinished } = await tx
    .updateTable('checkpoint')
    .set({ done: true, next_link: null })
    .where('tenant_no', '=', tenantNo)
    .where('feed', '=', feed)
    .where('done', '=', false)
    .executeTakeFirst();
  // From the old deltaLink it is all told again; all of its word is told but once.
  if (unfinished > 0n) await dropHalf(tx, tenantNo, STAGED_BY[feed]);
  await tx.updateTable('round').set({ set_aside: feed }).where('tenant_no', '=', tenantNo).execute();
  return 'set_aside';
}

function openFeeds(tenantNo: number, kind: RoundKind, checkpoints: readonly Checkpoint[]): OpenSlice['feeds'] {
  const open = (feed: Feed): OpenFeed => {
    const checkpoint = checkpoints.find((row) => row.feed === feed);
    if (!checkpoint) throw new Error(`Tenant ${tenantNo} has no checkpoint of its ${feed}`);
    const { epoch, done, next_link: nextLink, delta_link: deltaLink } = checkpoint;
    const fromDelta = kind === 'delta' && !done && nextLink === null;
    const link = done ? undefined : (nextLink ?? (fromDelta ? deltaLink : null) ?? undefined);
    return { fence: { tenantNo, feed, epoch }, done, link, fromDelta };
  };
  return { users: open('users'), groups: open('groups') };
}

export function summaryOf(
  round: { readonly kind: RoundKind; readonly started_at: string; readonly changes: number; readonly pages: number },
  completedAt: string,
): SyncSummary {
  return {
    kind: round.kind,
    startedAt: round.started_at,
    completedAt,
    changes: round.changes,
    pages: round.pages,
  };
}
