import { sql } from 'kysely';
import { exceeded, guardOf, type Guarded, type GuardSettings, type Sample, type Suspect } from '../domain/guard.ts';
import type { FencedRound } from './fence.ts';
import type { Tx } from './schema.ts';

/** How many of each kind are looked at afresh before a set is held: enough to tell a broken feed from a real exodus. */
const SAMPLE_SIZE = 20;

/** A round's removals that are more than the guard lets pass. */
export interface Excess {
  readonly exceeded: readonly Guarded[];
  readonly suspects: readonly Suspect[];
}

type Counts = Record<Guarded, number>;

/**
 * What a later round says again of something that is held already is no news; but what was restorable may be gone for good
 * since, and who only left the scope may be deleted. A full round says so of everything that is still true, so a disable that it does not say is over.
 */
export async function mergeWithHeld(tx: Tx, { tenantNo, kind, marks }: FencedRound): Promise<void> {
  if (kind === 'full' && marks) {
    await sql`
      DELETE FROM held_removal h WHERE h.tenant_no = ${tenantNo} AND h.kind = 'disable'
        AND EXISTS (SELECT 1 FROM round_mark k WHERE k.tenant_no = ${tenantNo} AND k.kind = 'user' AND k.object_id = h.object_id)
        AND NOT EXISTS (SELECT 1 FROM staged_removal s
          WHERE s.tenant_no = ${tenantNo} AND s.kind = 'disable' AND s.object_id = h.object_id)`.execute(tx);
  }
  // Whom the operator takes out needs nobody's approval.
  await sql`
    DELETE FROM held_removal h USING staged_removal s
    WHERE h.tenant_no = ${tenantNo} AND s.tenant_no = ${tenantNo} AND s.kind = h.kind AND s.object_id = h.object_id
      AND s.member_id = h.member_id AND s.reason = 'rescoped'`.execute(tx);
  await sql`
    UPDATE held_removal h SET cancelled = false,
      reason = CASE WHEN h.cancelled OR s.reason = 'deleted' OR h.reason = 'scope' THEN s.reason ELSE h.reason END
    FROM staged_removal s
    WHERE h.tenant_no = ${tenantNo} AND s.tenant_no = ${tenantNo} AND s.kind = h.kind AND s.object_id = h.object_id
      AND s.member_id = h.member_id AND (h.cancelled OR h.reason = 'scope' OR (s.reason = 'deleted' AND h.reason <> 'deleted'))`.execute(
    tx,
  );
  await sql`
    DELETE FROM staged_removal s USING held_removal h
    WHERE s.tenant_no = ${tenantNo} AND h.tenant_no = ${tenantNo} AND h.kind = s.kind AND h.object_id = s.object_id
      AND h.member_id = s.member_id`.execute(tx);
}

/**
 * Weighs what is staged against what can be seen; undefined where it may be applied. What the operator's own change of the
 * scope takes out is not weighed, and whoever left the scope by the directory is there still: no read can confirm it.
 */
export async function weigh(tx: Tx, tenantNo: number): Promise<Excess | undefined> {
  const { rows } = await sql<{ guard: GuardSettings } & Counts>`
    SELECT t.guard, t.users + r.users AS users, t.groups + r.groups AS groups, t.memberships + r.memberships AS memberships
    FROM tenant t JOIN round r ON r.tenant_no = t.no WHERE t.no = ${tenantNo}`.execute(tx);
  const [tenant] = rows;
  if (!tenant) throw new Error(`Tenant ${tenantNo} has no round`);
  const kinds = exceeded(guardOf(tenant.guard), await countGoing(tx, tenantNo), tenant);
  return kinds.length === 0 ? undefined : { exceeded: kinds, suspects: await sampleOf(tx, tenantNo, kinds) };
}

/**
 * Of what is staged that which can be seen. A group that goes counts with its memberships, so that a feed without groups is
 * noticed in a tenant of a few large ones as well; a person who goes does not.
 */
async function countGoing(tx: Tx, tenantNo: number): Promise<Counts> {
  const { rows } = await sql<Counts>`
    SELECT
      (SELECT count(DISTINCT s.object_id) FROM staged_removal s
        JOIN directory_user u ON u.tenant_no = ${tenantNo} AND u.id = s.object_id AND u.deleted_at IS NULL
        WHERE s.tenant_no = ${tenantNo} AND s.kind IN ('user', 'disable') AND s.reason <> 'rescoped') AS users,
      (SELECT count(*) FROM staged_removal s
        JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = s.object_id AND g.deleted_at IS NULL
        WHERE s.tenant_no = ${tenantNo} AND s.kind = 'group' AND s.reason <> 'rescoped') AS groups,
      (SELECT count(*) FROM (
        SELECT s.object_id, s.member_id FROM staged_removal s
        JOIN visible_membership v ON v.tenant_no = ${tenantNo} AND v.group_id = s.object_id AND v.member_id = s.member_id
        WHERE s.tenant_no = ${tenantNo} AND s.kind = 'membership'
        UNION SELECT v.group_id, v.member_id FROM staged_removal s
        JOIN visible_membership v ON v.tenant_no = ${tenantNo} AND v.group_id = s.object_id
        WHERE s.tenant_no = ${tenantNo} AND s.kind = 'group' AND s.reason <> 'rescoped') AS ending) AS memberships`.execute(
    tx,
  );
  const [going] = rows;
  if (!going) throw new Error('A count has no row');
  return going;
}

const SAMPLED: Readonly<Record<Guarded, readonly Suspect['kind'][]>> = {
  users: ['user', 'disable'],
  groups: ['group'],
  memberships: ['group', 'membership'],
};

async function sampleOf(tx: Tx, tenantNo: number, kinds: readonly Guarded[]): Promise<readonly Suspect[]> {
  const suspects: Suspect[] = [];
  for (const kind of new Set(kinds.flatMap((guarded) => SAMPLED[guarded]))) {
    const { rows } = await sql<{ id: string; member_id: string }>`
      SELECT s.object_id AS id, s.member_id FROM staged_removal s
      WHERE s.tenant_no = ${tenantNo} AND s.kind = ${kind} AND s.reason NOT IN ('scope', 'rescoped')
        ${
          // What Graph leaves out of its lists of members cannot be missed there.
          kind === 'membership'
            ? sql`AND EXISTS (SELECT 1 FROM membership m WHERE m.tenant_no = ${tenantNo} AND m.group_id = s.object_id
                AND m.member_id = s.member_id AND m.member_type IN ('user', 'group'))`
            : sql``
        }
      ORDER BY s.object_id, s.member_id LIMIT ${SAMPLE_SIZE}`.execute(tx);
    for (const { id, member_id: memberId } of rows) {
      suspects.push(kind === 'membership' ? { kind, groupId: id, memberId } : { kind, id });
    }
  }
  return suspects;
}

/** Moves what is staged, and would be seen to go, into the held set; the rest of the round's removals is applied. */
export async function hold(tx: Tx, tenantNo: number, excess: Excess, sample: Sample | undefined): Promise<void> {
  const { rows } = await sql<{ generation: number }>`
    INSERT INTO held_set AS h (tenant_no, exceeded, sample)
    VALUES (${tenantNo}, ${JSON.stringify(excess.exceeded)}::jsonb, ${sample ? JSON.stringify(sample) : null}::jsonb)
    ON CONFLICT (tenant_no) DO UPDATE
      SET generation = h.generation + 1, exceeded = excluded.exceeded, sample = excluded.sample
    RETURNING generation`.execute(tx);
  const generation = rows[0]?.generation ?? 1;
  const visible = {
    membership: sql`EXISTS (SELECT 1 FROM visible_membership v
      WHERE v.tenant_no = ${tenantNo} AND v.group_id = s.object_id AND v.member_id = s.member_id)`,
    disable: sql`EXISTS (SELECT 1 FROM directory_user u
      WHERE u.tenant_no = ${tenantNo} AND u.id = s.object_id AND u.deleted_at IS NULL)`,
    group: sql`EXISTS (SELECT 1 FROM directory_group g
      WHERE g.tenant_no = ${tenantNo} AND g.id = s.object_id AND g.deleted_at IS NULL)`,
    user: sql`EXISTS (SELECT 1 FROM directory_user u
      WHERE u.tenant_no = ${tenantNo} AND u.id = s.object_id AND u.deleted_at IS NULL)`,
  };
  for (const [kind, isVisible] of Object.entries(visible)) {
    await sql`
      WITH moved AS (
        DELETE FROM staged_removal s
        WHERE s.tenant_no = ${tenantNo} AND s.kind = ${kind} AND s.reason <> 'rescoped' AND ${isVisible}
        RETURNING s.kind, s.object_id, s.member_id, s.reason
      )
      INSERT INTO held_removal (tenant_no, kind, object_id, member_id, reason, generation)
      SELECT ${tenantNo}::int, kind, object_id, member_id, reason, ${generation}::int FROM moved
      ON CONFLICT DO NOTHING`.execute(tx);
  }
}

/**
 * At a round's end: what its pages cancelled is over, and what is held of something that can be seen no more needs
 * nobody's approval: it is done in silence. A set without entries is over. Returns since when a set stands.
 */
export async function tidyHeld(tx: Tx, tenantNo: number, changed: boolean): Promise<string | undefined> {
  await tx.deleteFrom('held_removal').where('tenant_no', '=', tenantNo).where('cancelled', '=', true).execute();
  if (!changed) return endIfEmpty(tx, tenantNo);
  await sql`
    WITH hidden AS (
      DELETE FROM held_removal h WHERE h.tenant_no = ${tenantNo} AND h.kind = 'membership'
        AND NOT EXISTS (SELECT 1 FROM visible_membership v
          WHERE v.tenant_no = ${tenantNo} AND v.group_id = h.object_id AND v.member_id = h.member_id)
      RETURNING h.object_id, h.member_id
    )
    DELETE FROM membership m USING hidden
    WHERE m.tenant_no = ${tenantNo} AND m.group_id = hidden.object_id AND m.member_id = hidden.member_id`.execute(tx);
  await sql`
    DELETE FROM held_removal h WHERE h.tenant_no = ${tenantNo} AND h.kind = 'disable'
      AND NOT EXISTS (SELECT 1 FROM directory_user u
        WHERE u.tenant_no = ${tenantNo} AND u.id = h.object_id AND u.deleted_at IS NULL
          AND u.data->'accountEnabled' IS DISTINCT FROM 'false')`.execute(tx);
  return endIfEmpty(tx, tenantNo);
}

/** Returns since when the set stands, undefined where nothing is left of it. */
export async function endIfEmpty(tx: Tx, tenantNo: number): Promise<string | undefined> {
  await sql`
    DELETE FROM held_set s WHERE s.tenant_no = ${tenantNo}
      AND NOT EXISTS (SELECT 1 FROM held_removal h WHERE h.tenant_no = ${tenantNo})`.execute(tx);
  const set = await tx.selectFrom('held_set').select('since').where('tenant_no', '=', tenantNo).executeTakeFirst();
  return set?.since;
}

/** Notes how far the set has come: what a later round adds, nobody has looked at. */
export async function markApproved(tx: Tx, tenantNo: number): Promise<void> {
  await sql`UPDATE held_set SET approved = generation WHERE tenant_no = ${tenantNo}`.execute(tx);
}
