import { sql } from 'kysely';
import { type Retention, RETENTION } from '../domain/retention.ts';
import { erasePersons } from './erasure.ts';
import { tell } from './events.ts';
import { lockCheckpoints, lockLiveTenant } from './fence.ts';
import { letGoHeld } from './held.ts';
import type { Database, Tx } from './schema.ts';
import type { RetentionStore } from './face/retention.ts';

/** Rows of one transaction: none of them may hold up the feed, or a tenant, for long. */
const BATCH_ROWS = 5_000;
const PERSONS_AT_ONCE = 500;

/** Lets go of what is too old, and of people of whom nothing may be kept. */
export function createRetention(db: Database): RetentionStore {
  return {
    async sweep(keep = RETENTION) {
      await inBatches(BATCH_ROWS, () => db.transaction().execute((tx) => dropEvents(tx, keep)));
      await inBatches(BATCH_ROWS, () => dropIntents(db, keep));
      await dropKeys(db, keep);
      await inBatches(BATCH_ROWS, () => dropAudit(db, keep));
      await inBatches(PERSONS_AT_ONCE, () => erasePersonsOfOne(db, keep));
    },

    erasePerson: (tenantNo, userId) =>
      db.transaction().execute(async (tx) => {
        if (!(await holdTenant(tx, tenantNo))) return 'erased';
        const { rows } = await sql<{ deleted: boolean }>`
          SELECT deleted_at IS NOT NULL AS deleted FROM directory_user
          WHERE tenant_no = ${tenantNo} AND id = ${userId}::uuid FOR UPDATE`.execute(tx);
        // Gone by the directory's word, if not by ours yet.
        const gone = rows[0]?.deleted === false ? await letGoHeld(tx, tenantNo, userId) : [];
        if (!gone) return 'living';
        // Microsoft may still restore: the id alone stays, so that a restore is known for one and its groups are asked for.
        await erasePersons(tx, tenantNo, [userId], 'keep ids');
        await tell(tx, tenantNo, gone);
        return 'erased';
      }),
  };
}

async function inBatches(size: number, work: () => Promise<number>): Promise<void> {
  for (let done = size; done >= size;) done = await work();
}

const olderThan = (ms: number) => sql`now() - ${ms} * interval '1 millisecond'`;

/** Events come and go in order, so what is dropped is a beginning, and the floor rises with it: cursors before it are void. */
async function dropEvents(tx: Tx, { eventsMs }: Retention): Promise<number> {
  const { rows } = await sql<{ upto: number | null; n: number }>`
    SELECT max(position) AS upto, count(*) AS n FROM (
      SELECT position, at FROM event ORDER BY position LIMIT ${BATCH_ROWS}
    ) oldest WHERE at < ${olderThan(eventsMs)}`.execute(tx);
  const [old] = rows;
  if (!old || old.upto === null) return 0;
  await sql`DELETE FROM event WHERE position <= ${old.upto}::bigint`.execute(tx);
  // Last, since the feed's row makes all others wait.
  await sql`UPDATE feed SET floor = greatest(floor, ${old.upto}::bigint)`.execute(tx);
  return old.n;
}

async function dropIntents(db: Database, { intentsMs }: Retention): Promise<number> {
  const { rows } = await sql`
    DELETE FROM intent WHERE id = ANY (ARRAY(
      SELECT id FROM intent WHERE taken_at < ${olderThan(intentsMs)} LIMIT ${BATCH_ROWS})) RETURNING 1`.execute(db);
  return rows.length;
}

/** Revoked keys are told of as long as the events from their time. */
async function dropKeys(db: Database, { eventsMs }: Retention): Promise<void> {
  await sql`DELETE FROM api_key WHERE revoked_at < ${olderThan(eventsMs)}`.execute(db);
}

async function dropAudit(db: Database, { eventsMs }: Retention): Promise<number> {
  const { rows } = await sql`
    DELETE FROM audit_entry WHERE no = ANY (ARRAY(
      SELECT no FROM audit_entry WHERE at < ${olderThan(eventsMs)} LIMIT ${BATCH_ROWS})) RETURNING 1`.execute(db);
  return rows.length;
}

/** Some of those who were soft-deleted too long ago, of one tenant. Returns a full batch where there may be more. */
async function erasePersonsOfOne(db: Database, { personsMs }: Retention): Promise<number> {
  const old = sql`deleted_at < ${olderThan(personsMs)}`;
  const { rows: one } = await sql<{ tenant_no: number }>`
    SELECT u.tenant_no FROM directory_user u JOIN tenant t ON t.no = u.tenant_no AND t.deleted_at IS NULL
    WHERE u.${old} LIMIT 1`.execute(db);
  const tenantNo = one[0]?.tenant_no;
  if (tenantNo === undefined) return 0;
  return db.transaction().execute(async (tx) => {
    if (!(await holdTenant(tx, tenantNo))) return 0;
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM directory_user WHERE tenant_no = ${tenantNo} AND ${old} LIMIT ${PERSONS_AT_ONCE} FOR UPDATE`.execute(
      tx,
    );
    await erasePersons(
      tx,
      tenantNo,
      rows.map((row) => row.id),
      'leave nothing',
    );
    // The next tenant may have some too.
    return PERSONS_AT_ONCE;
  });
}

/** No page of the tenant is written meanwhile: one could bring back what goes. */
async function holdTenant(tx: Tx, tenantNo: number): Promise<boolean> {
  const live = await lockLiveTenant(tx, tenantNo);
  if (live) await lockCheckpoints(tx, tenantNo);
  return live;
}
