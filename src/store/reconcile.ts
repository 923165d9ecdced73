import { sql } from 'kysely';
import { foldPage } from '../domain/delta.ts';
import { type DeltaPage, type Feed, KIND_OF, type ObjectKind } from '../domain/directory.ts';
import { COUNT_EVERY_MS, RECONCILE_EVERY_MS, RECONCILE_RETRY_MS, STRIKES_TO_RECONCILE } from '../domain/reconcile.ts';
import { chosenOf, scopeOf } from '../domain/scope.ts';
import { mayFetch } from '../domain/tenant.ts';
import { jsonText } from './json-text.ts';
import { arrayText } from './memberships.ts';
import { OBJECT_TABLE } from './objects.ts';
import type { Database, Tx } from './schema.ts';
import type { OpenReconcile, ReconcileFence, ReconcileStore } from './store.ts';
import { onWholeTables } from './whole-table.ts';

const LINK = { users: sql.ref('users_link'), groups: sql.ref('groups_link') } as const;
const DONE = { users: sql.ref('users_done'), groups: sql.ref('groups_done') } as const;

/** The comparison of the mirror with a fresh read, a page a transaction, under a fence of its own. It writes no row of the mirror. */
export function createReconcile(db: Database): ReconcileStore {
  return {
    open: (tenantNo) => db.transaction().execute((tx) => open(tx, tenantNo)),
    comparePage: (fence, feed, page) => db.transaction().execute((tx) => comparePage(tx, fence, feed, page)),
    finish: (fence) => db.transaction().execute((tx) => finish(tx, fence)),

    async startOver({ tenantNo, epoch }, retryLater) {
      await sql`
        UPDATE reconcile SET comparing = false, due_at = now() + ${retryLater ? RECONCILE_RETRY_MS : 0} * interval '1 ms'
        WHERE tenant_no = ${tenantNo} AND epoch = ${epoch}`.execute(db);
    },

    async counted(tenantNo, counts) {
      await sql`
        UPDATE reconcile r SET counted_at = now(), strikes = d.strikes,
          due_at = CASE WHEN d.strikes >= ${STRIKES_TO_RECONCILE} THEN least(r.due_at, now()) ELSE r.due_at END
        FROM (SELECT t.no, CASE WHEN t.users = ${counts.users} AND t.groups = ${counts.groups}
              -- Of a part of a directory the counts of all of it say nothing.
              OR EXISTS (SELECT 1 FROM scope s WHERE s.tenant_no = t.no)
            THEN 0 ELSE k.strikes + 1 END AS strikes
          FROM tenant t JOIN reconcile k ON k.tenant_no = t.no WHERE t.no = ${tenantNo}) d
        WHERE r.tenant_no = d.no`.execute(db);
    },

    async ask(tenantNo) {
      await sql`UPDATE reconcile SET due_at = least(due_at, now()) WHERE tenant_no = ${tenantNo}`.execute(db);
    },

    async status(tenantNo) {
      const row = await db
        .selectFrom('reconcile')
        .select(['comparing', 'started_at', 'completed_at', 'compared', 'suspected', 'drift', 'due_at'])
        .where('tenant_no', '=', tenantNo)
        .executeTakeFirst();
      if (!row) return undefined;
      const { comparing, compared, suspected, drift } = row;
      const times = { startedAt: row.started_at, completedAt: row.completed_at, dueAt: row.due_at };
      return { comparing, ...times, compared, suspected, drift };
    },
  };
}

async function open(tx: Tx, tenantNo: number): Promise<OpenReconcile | 'nothing_due'> {
  const tenant = await tx
    .selectFrom('tenant')
    .select(['phase', 'scope'])
    .where('no', '=', tenantNo)
    .where('paused', '=', false)
    .where('deleting_at', 'is', null)
    .where('deleted_at', 'is', null)
    .forShare()
    .executeTakeFirst();
  if (!tenant || !mayFetch(tenant.phase)) return 'nothing_due';
  const { rows } = await sql<{ epoch: number; comparing: boolean; due: boolean; count: boolean }>`
    UPDATE reconcile SET epoch = epoch + 1 WHERE tenant_no = ${tenantNo}
    RETURNING epoch, comparing, due_at <= now() AS due,
      counted_at <= now() - ${COUNT_EVERY_MS} * interval '1 ms' AS count`.execute(tx);
  const [row] = rows;
  if (!row) return 'nothing_due';
  const fence = { tenantNo, epoch: row.epoch };
  const chosen = chosenOf(scopeOf(tenant.scope));
  if (!row.comparing && !row.due) return row.count ? { step: 'count', fence, chosen } : 'nothing_due';
  if (!row.comparing) {
    await forgetReconcile(tx, tenantNo);
    await sql`
      UPDATE reconcile SET comparing = true, started_at = now(), completed_at = NULL, compared = 0, suspected = 0, drift = 0,
        users_link = NULL, users_done = false, groups_link = NULL, groups_done = false
      WHERE tenant_no = ${tenantNo}`.execute(tx);
  }
  const at = await tx.selectFrom('reconcile').selectAll().where('tenant_no', '=', tenantNo).executeTakeFirstOrThrow();
  return {
    step: 'compare',
    fence,
    chosen,
    feeds: {
      users: { done: at.users_done, link: at.users_link ?? undefined },
      groups: { done: at.groups_done, link: at.groups_link ?? undefined },
    },
  };
}

/** A comparison that is under way is worth nothing once everything is read anew, or under another query. */
export async function forgetReconcile(tx: Tx, tenantNo: number): Promise<void> {
  await sql`UPDATE reconcile SET comparing = false, epoch = epoch + 1 WHERE tenant_no = ${tenantNo} AND comparing`.execute(
    tx,
  );
  await sql`DELETE FROM reconcile_mark WHERE tenant_no = ${tenantNo}`.execute(tx);
  await sql`DELETE FROM suspect WHERE tenant_no = ${tenantNo}`.execute(tx);
}

/** A full round that came to its end has proven what a reconcile would. Spread over days, so that tenants that began together do not reconcile together. */
export async function putOffReconcile(tx: Tx, tenantNo: number): Promise<void> {
  await sql`
    INSERT INTO reconcile (tenant_no, due_at)
    VALUES (${tenantNo}, now() + (0.75 + random() / 4) * ${RECONCILE_EVERY_MS} * interval '1 ms')
    ON CONFLICT (tenant_no) DO UPDATE SET due_at = excluded.due_at, counted_at = now(), strikes = 0`.execute(tx);
}

async function holdFence(
  tx: Tx,
  { tenantNo, epoch }: ReconcileFence,
): Promise<{ readonly scoped: boolean } | undefined> {
  const { rows } = await sql<{ scoped: boolean }>`
    SELECT EXISTS (SELECT 1 FROM scope s WHERE s.tenant_no = r.tenant_no) AS scoped FROM reconcile r
    WHERE r.tenant_no = ${tenantNo} AND r.epoch = ${epoch} AND r.comparing FOR UPDATE OF r`.execute(tx);
  return rows[0];
}

async function comparePage(
  tx: Tx,
  fence: ReconcileFence,
  feed: Feed,
  page: DeltaPage,
): Promise<'compared' | 'superseded'> {
  const held = await holdFence(tx, fence);
  if (!held) return 'superseded';
  const { tenantNo } = fence;
  const { objects, joined } = foldPage(page.items);
  const kind = KIND_OF[feed];
  await markMet(tx, tenantNo, kind, { objects: objects.map(({ id }) => id), joined });
  // What is not mirrored of a tenant with a scope of its own is mostly out of that scope.
  const unknown = held.scoped ? sql`false` : sql`o.id IS NULL`;
  await sql`
    INSERT INTO suspect (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, i.id
    FROM jsonb_to_recordset(${jsonText(objects.map(({ id, data }) => ({ id, data })))}::jsonb) AS i(id uuid, data jsonb)
    LEFT JOIN LATERAL (
      SELECT id, data, deleted_at FROM ${OBJECT_TABLE[kind]} WHERE tenant_no = ${tenantNo} AND id = i.id LIMIT 1) o ON true
    WHERE ${unknown} OR o.deleted_at IS NOT NULL OR o.data <> i.data
    ON CONFLICT DO NOTHING`.execute(tx);
  if (joined.length > 0) {
    await sql`
      INSERT INTO suspect (tenant_no, kind, object_id)
      SELECT DISTINCT ${tenantNo}::int, 'group', i.group_id
      FROM unnest(${arrayText(joined.map((m) => m.groupId))}::uuid[],
        ${arrayText(joined.map((m) => m.memberId))}::uuid[]) AS i(group_id, member_id)
      WHERE NOT EXISTS (SELECT 1 FROM membership m
          WHERE m.tenant_no = ${tenantNo} AND m.group_id = i.group_id AND m.member_id = i.member_id)
        AND (${!held.scoped} OR EXISTS (SELECT 1 FROM directory_group g
          WHERE g.tenant_no = ${tenantNo} AND g.id = i.group_id AND g.deleted_at IS NULL))
      ON CONFLICT DO NOTHING`.execute(tx);
  }
  await sql`
    UPDATE reconcile SET ${LINK[feed]} = ${page.nextLink ?? null}, ${DONE[feed]} = ${page.deltaLink !== undefined},
      compared = compared + ${objects.length + joined.length}
    WHERE tenant_no = ${tenantNo}`.execute(tx);
  return 'compared';
}

/** Notes what was met: by the comparison, or by a second look. */
export async function markMet(
  tx: Tx,
  tenantNo: number,
  kind: ObjectKind,
  met: {
    readonly objects: readonly string[];
    readonly joined: readonly { readonly groupId: string; readonly memberId: string }[];
  },
): Promise<void> {
  await sql`
    INSERT INTO reconcile_mark (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, unnest(${arrayText(met.objects)}::uuid[]) ON CONFLICT DO NOTHING`.execute(
    tx,
  );
  if (met.joined.length === 0) return;
  await sql`
    INSERT INTO reconcile_mark (tenant_no, kind, object_id, member_id)
    SELECT ${tenantNo}::int, 'membership', i.group_id, i.member_id
    FROM unnest(${arrayText(met.joined.map((m) => m.groupId))}::uuid[],
      ${arrayText(met.joined.map((m) => m.memberId))}::uuid[]) AS i(group_id, member_id)
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** After both feeds: what can be seen in the mirror and was not met is suspect, too. */
async function finish(tx: Tx, fence: ReconcileFence): ReturnType<ReconcileStore['finish']> {
  if (!(await holdFence(tx, fence))) return 'superseded';
  const { tenantNo } = fence;
  await onWholeTables(tx, async () => {
    for (const kind of ['user', 'group'] as const) {
      await sql`
        INSERT INTO suspect (tenant_no, kind, object_id)
        SELECT o.tenant_no, ${kind}::text, o.id FROM ${OBJECT_TABLE[kind]} o
        WHERE o.tenant_no = ${tenantNo} AND o.deleted_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM reconcile_mark k
            WHERE k.tenant_no = ${tenantNo} AND k.kind = ${kind} AND k.object_id = o.id)
        ON CONFLICT DO NOTHING`.execute(tx);
    }
    await sql`
      INSERT INTO suspect (tenant_no, kind, object_id)
      SELECT DISTINCT v.tenant_no, 'group', v.group_id FROM visible_membership v
      WHERE v.tenant_no = ${tenantNo}
        AND NOT EXISTS (SELECT 1 FROM reconcile_mark k WHERE k.tenant_no = ${tenantNo} AND k.kind = 'membership'
          AND k.object_id = v.group_id AND k.member_id = v.member_id)
      ON CONFLICT DO NOTHING`.execute(tx);
  });
  await sql`DELETE FROM reconcile_mark WHERE tenant_no = ${tenantNo}`.execute(tx);
  const { rows } = await sql<{ compared: number; suspected: number }>`
    UPDATE reconcile SET comparing = false, completed_at = now(), strikes = 0,
      due_at = now() + (0.75 + random() / 4) * ${RECONCILE_EVERY_MS} * interval '1 ms',
      suspected = (SELECT count(*) FROM suspect s WHERE s.tenant_no = ${tenantNo})
    WHERE tenant_no = ${tenantNo} RETURNING compared, suspected`.execute(tx);
  return rows[0] ?? 'superseded';
}
