import { sql, type RawBuilder } from 'kysely';
import { tell } from './events.ts';
import { markDeleting } from './intents.ts';
import type { Database, Tx } from './schema.ts';
import type { TenantStore } from './face/tenants.ts';

const BATCH_ROWS = 5_000;

/** What grows with the directory, in an order that empties the largest first. */
const LARGE_TABLES = [
  'membership',
  'directory_user',
  'directory_group',
  'round_mark',
  'staged_removal',
  'held_removal',
  'membership_word',
  'restored_object',
  'reconcile_mark',
  'suspect',
  'second_look_mark',
  'scope_due',
  'scope_deleted',
  'scope_missed',
  'partial_object',
  'scope_assignee',
] as const;
/** What says how the mirror was made. */
const MIRROR_TABLES = [
  'held_set',
  'round',
  'checkpoint',
  'tenant_token',
  'skipped_part',
  'reconcile',
  'drift',
  'throttle',
  'scope_assigned',
  'pick',
] as const;
const SMALL_TABLES = [
  ...MIRROR_TABLES,
  'scope',
  'scope_group',
  'consent_attempt',
  'sign_in_code',
  'api_key',
  'intent',
  'subscription',
  'notification_state',
] as const;

/**
 * Deletes what a tenant owns in batches. Each goes by itself, so that it can be broken off and repeated anywhere;
 * the tenant is gone, and its name free, with the last transaction.
 */
export function createPurge(db: Database): (no: number, heartbeat: () => void) => Promise<void> {
  return async (no, heartbeat) => {
    const begun = await db.transaction().execute((tx) => begin(tx, no));
    if (!begun) return;
    await emptyMirror(db, no, heartbeat);
    await db.transaction().execute((tx) => finish(tx, no));
  };
}

/** Raises the fences for good: a page that commits later would leave rows behind. */
async function begin(tx: Tx, no: number): Promise<boolean> {
  if (!(await lockLive(tx, no))) return false;
  await markDeleting(tx, no);
  return true;
}

/** The mirror of a revoked tenant, whose time is over. Like a purge it may be broken off and repeated anywhere. */
export function createPurgeRevoked(db: Database): TenantStore['purgeRevoked'] {
  return async (no, heartbeat) => {
    const dueAt = sql<string>`revoked_at + retain_days * interval '1 day'`;
    const waiting = await db
      .selectFrom('tenant')
      .select([dueAt.as('dueAt'), sql<boolean>`${dueAt} <= now()`.as('due')])
      .where('no', '=', no)
      .where('phase', '=', 'revoked')
      .where('revoked_at', 'is not', null)
      .where('purged_at', 'is', null)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    if (!waiting) return { purged: false, dueAt: null };
    if (!waiting.due) return { purged: false, dueAt: waiting.dueAt };
    await emptyMirror(db, no, heartbeat);
    await db.transaction().execute((tx) => finishRevoked(tx, no));
    return { purged: true, dueAt: null };
  };
}

async function emptyMirror(db: Database, no: number, heartbeat: () => void): Promise<void> {
  for (const table of LARGE_TABLES) {
    await inBatches(db, sql.table(table), sql`tenant_no = ${no}`, heartbeat);
  }
  await inBatches(db, sql.table('event'), sql`tenant_no = ${no} AND type NOT LIKE 'tenant.%'`, heartbeat);
}

/** The binding stays: the same directory may consent again, and is then read as for the first time. */
async function finishRevoked(tx: Tx, no: number): Promise<void> {
  const tenant = await lockLive(tx, no);
  if (!tenant) return;
  for (const table of MIRROR_TABLES) {
    await sql`DELETE FROM ${sql.table(table)} WHERE tenant_no = ${no}`.execute(tx);
  }
  // The entries are the operator's, the names of what they may mean are the directory's.
  await sql`UPDATE scope_group SET candidates = NULL WHERE tenant_no = ${no}`.execute(tx);
  await sql`
    UPDATE tenant SET purged_at = now(), last_sync = NULL, as_of = NULL, read_as_of = NULL, users = 0, groups = 0, memberships = 0
    WHERE no = ${no}`.execute(tx);
  await tell(tx, no, [
    { type: 'tenant.purged', subject: { kind: 'tenant', id: tenant.id }, data: { id: tenant.id }, reason: 'purge' },
  ]);
}

function lockLive(tx: Tx, no: number) {
  return tx
    .selectFrom('tenant')
    .select('id')
    .where('no', '=', no)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

async function inBatches(
  db: Database,
  table: RawBuilder<unknown>,
  where: RawBuilder<unknown>,
  heartbeat: () => void,
): Promise<void> {
  for (let deleted = BATCH_ROWS; deleted === BATCH_ROWS; heartbeat()) {
    const { rows } = await sql<{ n: number }>`
      WITH gone AS (
        DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${where} LIMIT ${BATCH_ROWS}))
        RETURNING 1
      ) SELECT count(*) AS n FROM gone`.execute(db);
    deleted = rows[0]?.n ?? 0;
  }
}

async function finish(tx: Tx, no: number): Promise<void> {
  const tenant = await lockLive(tx, no);
  if (!tenant) return;
  for (const table of SMALL_TABLES) {
    await sql`DELETE FROM ${sql.table(table)} WHERE tenant_no = ${no}`.execute(tx);
  }
  // What stays of it: its name for the events of its states, and nothing else that someone wrote.
  await sql`UPDATE event SET data = data - 'name' - 'problem' WHERE tenant_no = ${no}`.execute(tx);
  // Who did what to it stays, without whence: the set-up pages are visited by people of the customer.
  await sql`UPDATE audit_entry SET address = NULL WHERE tenant = ${tenant.id}`.execute(tx);
  await sql`
    UPDATE tenant SET deleted_at = now(), updated_at = now(), name = NULL, groups_to_sync = '[]', scope = '{}', entra_tenant = NULL,
      expected_entra_tenant = NULL, sign_in = '{}', presentation = '{}', grant_check = NULL, candidate = NULL, problem = NULL, last_sync = NULL, as_of = NULL,
      read_as_of = NULL, users = 0, groups = 0, memberships = 0
    WHERE no = ${no}`.execute(tx);
  await tell(tx, no, [
    { type: 'tenant.deleted', subject: { kind: 'tenant', id: tenant.id }, data: { id: tenant.id }, reason: 'purge' },
  ]);
}
