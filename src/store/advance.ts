import { sql } from 'kysely';
import type { DeltaPage } from '../domain/directory.ts';
import type { NewEvent } from '../domain/event.ts';
import { netOf } from './changes.ts';
import { BARREN_PAGES, hashOf, isAnchored, isOverlong } from './leads-nowhere.ts';
import { arrayText } from './memberships.ts';
import type { Database } from './schema.ts';
import type { Fence, SyncStore } from './face/sync.ts';

interface PageResult {
  readonly changes: number;
  /** Something was not there before, or not as it is now, or not met in this round. */
  readonly isNews: boolean;
  readonly events: readonly NewEvent[];
}

/** Moves the checkpoint on under the fence, adds up the round, and finds out whether it leads anywhere. */
export async function advance(
  tx: Database,
  { tenantNo, feed, epoch }: Fence,
  pages: readonly DeltaPage[],
  { changes, isNews, events }: PageResult,
): ReturnType<SyncStore['applyPages']> {
  const net = netOf(events);
  const { nextLink, deltaLink } = pages.at(-1) ?? {};
  const links = arrayText(pages.flatMap((page) => hashOf(page.nextLink) ?? []));
  const count = pages.length;
  const { rows } = await sql<{ circles: boolean | null; barren: number }>`
    /* advance */ WITH c AS (
      UPDATE checkpoint k SET next_link = ${nextLink ?? null}, delta_link = coalesce(${deltaLink ?? null}, k.delta_link),
        done = ${deltaLink !== undefined}, pages = k.pages + ${count},
        barren = CASE WHEN ${isNews} OR NOT (${isOverlong(sql`k.pages`, sql`k.full_pages`)})
          THEN 0 ELSE k.barren + ${count} END,
        anchor = CASE WHEN ${isAnchored(sql`k.pages`, count)} THEN ${hashOf(nextLink)} ELSE k.anchor END
      FROM checkpoint before
      WHERE k.tenant_no = ${tenantNo} AND k.feed = ${feed} AND k.epoch = ${epoch}
        AND before.tenant_no = k.tenant_no AND before.feed = k.feed
        AND EXISTS (SELECT 1 FROM round r WHERE r.tenant_no = ${tenantNo} AND r.completed_at IS NULL)
      RETURNING k.tenant_no, before.anchor = ANY(${links}::text[]) AS circles, k.barren
    )
    UPDATE round r SET pages = r.pages + ${count}, changes = r.changes + ${changes}, users = r.users + ${net.users},
      groups = r.groups + ${net.groups}, memberships = r.memberships + ${net.memberships}
    FROM c WHERE r.tenant_no = c.tenant_no
    RETURNING c.circles, c.barren`.execute(tx);
  const [moved] = rows;
  if (!moved) return 'superseded';
  const faulty = nextLink !== undefined && (moved.circles === true || moved.barren >= BARREN_PAGES);
  return faulty ? { changes, faulty } : { changes };
}
