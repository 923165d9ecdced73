import { sql } from 'kysely';
import { foldPage } from '../domain/delta.ts';
import { type Attributes, type DeltaPage, type Feed, KIND_OF, type ObjectKind } from '../domain/directory.ts';
import { RECONCILE_EVERY_MS } from '../domain/reconcile.ts';
import { isFilteredOut } from '../domain/scope.ts';
import { acceptCounts } from './counts.ts';
import { jsonText } from './json-text.ts';
import { BARREN_PAGES, hashOf, isAnchored, isOverlong } from './leads-nowhere.ts';
import { arrayText } from './memberships.ts';
import { markMet } from './met.ts';
import { OBJECT_TABLE } from './objects.ts';
import type { Tx } from './schema.ts';
import { isGroupWanted, isUserWanted, type ScopeRow, scopeColumn } from './scope/in-scope.ts';
import { recordSkipped } from './skipped.ts';
import type { ReconcileFence, ReconcileStore } from './face/reconcile.ts';
import type { Skipping } from './face/sync.ts';
import { onWholeTables } from './whole-table.ts';

const LINK = { users: sql.ref('users_link'), groups: sql.ref('groups_link') } as const;
const DONE = { users: sql.ref('users_done'), groups: sql.ref('groups_done') } as const;

async function holdFence(
  tx: Tx,
  { tenantNo, epoch }: ReconcileFence,
): Promise<{ readonly scope: ScopeRow | null; readonly anchor: string | null } | undefined> {
  const { rows } = await sql<{ scope: ScopeRow | null; anchor: string | null }>`
    SELECT r.anchor, ${scopeColumn(sql`r.tenant_no`)} AS scope FROM reconcile r
    WHERE r.tenant_no = ${tenantNo} AND r.epoch = ${epoch} AND r.comparing FOR UPDATE OF r`.execute(tx);
  return rows[0];
}

export async function comparePage(
  tx: Tx,
  fence: ReconcileFence,
  feed: Feed,
  page: DeltaPage & Skipping,
): ReturnType<ReconcileStore['comparePage']> {
  const held = await holdFence(tx, fence);
  if (!held) return 'superseded';
  const { tenantNo } = fence;
  const { objects, joined } = foldPage(page.items);
  const kind = KIND_OF[feed];
  const isNews = await markMet(tx, 'reconcile_mark', tenantNo, kind, { objects: objects.map(({ id }) => id), joined });
  const { scope } = held;
  const isOut = (data: Attributes) => kind === 'user' && scope !== null && isFilteredOut(scope, data);
  // What is not mirrored of a tenant with a scope of its own is mostly out of that scope.
  const unknown = scope ? sql`o.id IS NULL AND NOT i.out AND ${isWanted(tenantNo, scope, kind)}` : sql`o.id IS NULL`;
  await sql`
    INSERT INTO suspect (tenant_no, kind, object_id)
    SELECT ${tenantNo}::int, ${kind}::text, i.id
    FROM jsonb_to_recordset(${jsonText(objects.map(({ id, data }) => ({ id, data, out: isOut(data) })))}::jsonb)
      AS i(id uuid, data jsonb, out boolean)
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
        AND (${scope === null} OR EXISTS (SELECT 1 FROM directory_group g
          WHERE g.tenant_no = ${tenantNo} AND g.id = i.group_id AND g.deleted_at IS NULL))
      ON CONFLICT DO NOTHING`.execute(tx);
  }
  await recordSkipped(tx, { tenantNo, feed }, page);
  const link = hashOf(page.nextLink);
  const circles = link !== null && held.anchor === link;
  const barren = await advanceComparison(tx, tenantNo, feed, page, {
    isNews,
    compared: objects.length + joined.length,
  });
  return link !== null && (circles || barren >= BARREN_PAGES) ? 'faulty' : 'compared';
}

const isWanted = (tenantNo: number, scope: ScopeRow, kind: ObjectKind) =>
  kind === 'user'
    ? isUserWanted(tenantNo, scope, sql`i.id`, 'as it stands')
    : isGroupWanted(tenantNo, scope, sql`i.id`);

/** Returns how many pages in a row said nothing new, counted as those of a round are. At a feed's end the next one begins. */
async function advanceComparison(
  tx: Tx,
  tenantNo: number,
  feed: Feed,
  { nextLink }: DeltaPage,
  { isNews, compared }: { readonly isNews: boolean; readonly compared: number },
): Promise<number> {
  const goesOn = nextLink !== undefined;
  const { rows } = await sql<{ barren: number }>`
    UPDATE reconcile r SET ${LINK[feed]} = ${nextLink ?? null}, ${DONE[feed]} = ${!goesOn}, compared = r.compared + ${compared},
      pages = CASE WHEN ${goesOn} THEN r.pages + 1 ELSE 0 END,
      barren = CASE WHEN ${isNews} OR NOT ${goesOn} OR NOT (${isOverlong(sql`r.pages`, sql`c.full_pages`)})
        THEN 0 ELSE r.barren + 1 END,
      anchor = CASE WHEN NOT ${goesOn} THEN NULL WHEN ${isAnchored(sql`r.pages`, 1)} THEN ${hashOf(nextLink)} ELSE r.anchor END
    FROM checkpoint c
    WHERE r.tenant_no = ${tenantNo} AND c.tenant_no = r.tenant_no AND c.feed = ${feed}
    RETURNING r.barren`.execute(tx);
  return rows[0]?.barren ?? 0;
}

/** After both feeds: what can be seen in the mirror and was not met is suspect, too. */
export async function finish(tx: Tx, fence: ReconcileFence): ReturnType<ReconcileStore['finish']> {
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
      -- Asked for while it ran: it may have passed already what was meant.
      due_at = CASE WHEN due_at > started_at THEN due_at
        ELSE now() + (0.75 + random() / 4) * ${RECONCILE_EVERY_MS} * interval '1 ms' END,
      suspected = (SELECT count(*) FROM suspect s WHERE s.tenant_no = ${tenantNo})
    WHERE tenant_no = ${tenantNo} RETURNING compared, suspected`.execute(tx);
  await acceptCounts(tx, tenantNo);
  return rows[0] ?? 'superseded';
}
