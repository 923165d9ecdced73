import { sql } from 'kysely';
import type { RoundKind } from '../domain/activities.ts';
import type { Feed } from '../domain/directory.ts';
import type { Database, Tx } from './schema.ts';
import type { Fence } from './face/sync.ts';

/*
 * Rows are locked in one order everywhere: tenant, checkpoints by feed, round, the mirror, and the feed's row last.
 */

/** Locks a tenant that is not deleted; false where there is none. */
export async function lockLiveTenant(tx: Tx, tenantNo: number): Promise<boolean> {
  const tenant = await tx
    .selectFrom('tenant')
    .select('no')
    .where('no', '=', tenantNo)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  return tenant !== undefined;
}

/** Whoever fetched under an older epoch can write no more. */
export async function raiseFences(tx: Tx, tenantNo: number): Promise<void> {
  await lockCheckpoints(tx, tenantNo);
  await sql`UPDATE checkpoint SET epoch = epoch + 1 WHERE tenant_no = ${tenantNo}`.execute(tx);
}

export interface Checkpoint {
  readonly feed: Feed;
  readonly epoch: number;
  readonly query_hash: string | null;
  readonly delta_link: string | null;
  readonly next_link: string | null;
  readonly done: boolean;
}

export async function lockCheckpoints(tx: Tx, tenantNo: number): Promise<readonly Checkpoint[]> {
  return tx
    .selectFrom('checkpoint')
    .select(['feed', 'epoch', 'query_hash', 'delta_link', 'next_link', 'done'])
    .where('tenant_no', '=', tenantNo)
    .orderBy('feed')
    .forUpdate()
    .execute();
}

/** What a transaction under the fence must know of its round. */
export interface FencedRound {
  readonly tenantNo: number;
  readonly id: string;
  readonly kind: RoundKind;
  readonly quiet: boolean;
  readonly marks: boolean;
}

/** Locks what the fences guard and the running round; undefined where a fence was raised since, or the round is over. */
export async function holdFences(tx: Tx, fences: readonly Fence[]): Promise<FencedRound | undefined> {
  const [first] = fences;
  if (!first) throw new Error('A fence is needed');
  const { tenantNo } = first;
  const checkpoints = await lockCheckpoints(tx, tenantNo);
  const held = fences.every(
    (fence) =>
      fence.tenantNo === tenantNo &&
      checkpoints.some((checkpoint) => checkpoint.feed === fence.feed && checkpoint.epoch === fence.epoch),
  );
  return held ? lockRound(tx, tenantNo) : undefined;
}

export async function lockRound(tx: Tx, tenantNo: number): Promise<FencedRound | undefined> {
  const round = await tx
    .selectFrom('round')
    .select(['id', 'kind', 'quiet', 'marks'])
    .where('tenant_no', '=', tenantNo)
    .where('completed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  return round && { tenantNo, ...round };
}

/** Runs `work` in a transaction that holds the fences, which cannot be raised before it has committed. */
export function fenced<T>(
  db: Database,
  fences: readonly Fence[],
  work: (tx: Tx, round: FencedRound) => Promise<T>,
): Promise<T | 'superseded'> {
  return db.transaction().execute(async (tx) => {
    const round = await holdFences(tx, fences);
    return round ? work(tx, round) : 'superseded';
  });
}
