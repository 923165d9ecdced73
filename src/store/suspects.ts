import { sql } from 'kysely';
import type { FoldedPage } from '../domain/delta.ts';
import { KIND_OF, type ObjectKind } from '../domain/directory.ts';
import { type DriftCount, SUSPECT_LOOK_AFTER_MS } from '../domain/reconcile.ts';
import { acceptCounts } from './counts.ts';
import { addDrift } from './drift.ts';
import { fenced, type FencedRound } from './fence.ts';
import { arrayText } from './memberships.ts';
import { forgetMet } from './met.ts';
import { OBJECT_TABLE } from './objects.ts';
import { dropPick, openPick } from './pick.ts';
import type { Database, RemovalKind, Tx } from './schema.ts';
import type { SyncStore, WantedObjects } from './face/sync.ts';

/** As many as one filtered feed may be asked for. */
const LOOKED_AT_ONCE = 50;

const isOld = sql`s.seen_at <= now() - ${SUSPECT_LOOK_AFTER_MS} * interval '1 ms'`;

/** Whether suspects of a tenant are to be looked at again: once the comparison that found them is over. */
export const suspectsAreDue = sql`
  EXISTS (SELECT 1 FROM suspect s JOIN reconcile k ON k.tenant_no = s.tenant_no AND NOT k.comparing
    WHERE s.tenant_no = tenant.no AND ${isOld})`;

/**
 * What the feed says of something is newer than the suspicion. Its removal is all that there is to say; of what is there it
 * may say a part, so the look is only put off, until it is certain to be newer than that.
 */
export async function heardOfSuspects(tx: Tx, tenantNo: number, kind: ObjectKind, page: FoldedPage): Promise<void> {
  const those = (objects: readonly { readonly id: string }[]) => sql`
    tenant_no = ${tenantNo} AND kind = ${kind} AND object_id = ANY(${arrayText(objects.map(({ id }) => id))}::uuid[])`;
  if (page.objects.length > 0) await sql`UPDATE suspect SET seen_at = now() WHERE ${those(page.objects)}`.execute(tx);
  if (page.removed.length > 0) await sql`DELETE FROM suspect WHERE ${those(page.removed)}`.execute(tx);
}

type Suspects = Pick<SyncStore, 'suspectsDue' | 'settleSuspects' | 'dropSuspects'>;

/** The second look at what a reconcile found, at the end of a delta round. */
export function createSuspects(db: Database): Suspects {
  return {
    suspectsDue: (fences) => fenced(db, fences, suspectsDue),
    settleSuspects: (fences, looked) => fenced(db, fences, (tx, round) => settle(tx, round, looked)),
    dropSuspects: (fences, looked) =>
      fenced(db, fences, async (tx, round) => {
        await takeSuspects(tx, round, looked);
        await dropPick(tx, round.tenantNo, looked.why);
      }),
  };
}

async function suspectsDue(tx: Tx, { tenantNo }: FencedRound): Promise<WantedObjects | undefined> {
  const begun = await openPick(tx, tenantNo, ['second_look']);
  // In another round they may not be suspect any more.
  if (begun?.link !== undefined) return begun;
  const { rows } = await sql<{ kind: ObjectKind; object_id: string }>`
    SELECT s.kind, s.object_id FROM suspect s JOIN round r ON r.tenant_no = s.tenant_no
    JOIN reconcile k ON k.tenant_no = s.tenant_no AND NOT k.comparing
    WHERE s.tenant_no = ${tenantNo} AND s.seen_at < r.started_at AND ${isOld}
    ORDER BY s.kind DESC, s.object_id LIMIT ${sql.lit(LOOKED_AT_ONCE)}`.execute(tx);
  const kind = rows[0]?.kind;
  if (!kind) return undefined;
  const ids = rows.filter((row) => row.kind === kind).map((row) => row.object_id);
  return { feed: `${kind}s`, ids, why: 'second_look' };
}

/**
 * Those of them that are suspect still, and are not any more: a comparison that began anew, or a full round, has forgotten
 * the others, or found them again since.
 */
async function takeSuspects(tx: Tx, { tenantNo }: FencedRound, { feed, ids }: WantedObjects) {
  // Before its suspects, as a comparison locks them.
  await sql`SELECT 1 FROM reconcile WHERE tenant_no = ${tenantNo} FOR UPDATE`.execute(tx);
  const { rows } = await sql<{ id: string }>`
    DELETE FROM suspect s USING round r
    WHERE s.tenant_no = ${tenantNo} AND s.kind = ${KIND_OF[feed]} AND s.object_id = ANY(${arrayText(ids)}::uuid[])
      AND r.tenant_no = s.tenant_no AND s.seen_at < r.started_at
    RETURNING s.object_id AS id`.execute(tx);
  return rows.map(({ id }) => id);
}

/**
 * What the second look did not meet either goes the way of all removals: staged, weighed by the guard, and told. It is none of
 * the feed's word, and stays where that is told again.
 */
async function settle(tx: Tx, round: FencedRound, wanted: WantedObjects): Promise<{ readonly settled: number }> {
  const { tenantNo } = round;
  const kind = KIND_OF[wanted.feed];
  const taken = await takeSuspects(tx, round, wanted);
  const looked = sql`${arrayText(taken)}::uuid[]`;
  const isMet = sql`SELECT 1 FROM second_look_mark k WHERE k.tenant_no = ${tenantNo}`;
  await sql`
    INSERT INTO staged_removal (tenant_no, kind, object_id, reason, carried)
    SELECT o.tenant_no, ${kind}::text, o.id, 'changed', true FROM ${OBJECT_TABLE[kind]} o
    WHERE o.tenant_no = ${tenantNo} AND o.id = ANY(${looked}) AND o.deleted_at IS NULL
      AND NOT EXISTS (${isMet} AND k.kind = ${kind} AND k.object_id = o.id)
    ON CONFLICT DO NOTHING`.execute(tx);
  await sql`
    INSERT INTO staged_removal (tenant_no, kind, object_id, member_id, reason, carried)
    SELECT v.tenant_no, 'membership', v.group_id, v.member_id, 'deleted', true FROM visible_membership v
    WHERE ${kind === 'group'} AND v.tenant_no = ${tenantNo} AND v.group_id = ANY(${looked})
      AND EXISTS (${isMet} AND k.kind = 'group' AND k.object_id = v.group_id)
      AND NOT EXISTS (${isMet} AND k.kind = 'membership' AND k.object_id = v.group_id AND k.member_id = v.member_id)
    ON CONFLICT DO NOTHING`.execute(tx);
  await addDrift(tx, tenantNo, await countStaged(tx, tenantNo, kind, taken));
  await forgetMet(tx, 'second_look_mark', tenantNo);
  await acceptCounts(tx, tenantNo);
  return { settled: taken.length };
}

const STAGED_AS: Readonly<Record<RemovalKind, Pick<DriftCount, 'kind' | 'difference'>>> = {
  user: { kind: 'user', difference: 'extra' },
  disable: { kind: 'user', difference: 'different' },
  group: { kind: 'group', difference: 'extra' },
  membership: { kind: 'membership', difference: 'extra' },
};
const STAGED_OF: Readonly<Record<ObjectKind, readonly RemovalKind[]>> = {
  user: ['user', 'disable'],
  group: ['group', 'membership'],
};

/**
 * Of suspects the feed has not spoken in this round, so what is staged of them is the second look's. What is held for a
 * person already was told by the feed, and is none of its silence.
 */
async function countStaged(
  tx: Tx,
  tenantNo: number,
  of: ObjectKind,
  ids: readonly string[],
): Promise<readonly DriftCount[]> {
  const { rows } = await sql<{ kind: RemovalKind; count: number }>`
    SELECT s.kind, count(*) AS count FROM staged_removal s
    WHERE s.tenant_no = ${tenantNo} AND s.kind = ANY(${[...STAGED_OF[of]]}::text[])
      AND s.object_id = ANY(${arrayText(ids)}::uuid[]) AND s.reason NOT IN ('scope', 'rescoped')
      AND NOT EXISTS (SELECT 1 FROM held_removal h WHERE h.tenant_no = s.tenant_no AND h.kind = s.kind
        AND h.object_id = s.object_id AND h.member_id = s.member_id AND NOT h.cancelled)
    GROUP BY s.kind`.execute(tx);
  return rows.map(({ kind: staged, count }) => {
    const { kind, difference } = STAGED_AS[staged];
    return { kind, difference, count };
  });
}
