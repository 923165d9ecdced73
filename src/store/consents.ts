import { sql } from 'kysely';
import { insertIntent } from './intents.ts';
import type { Database, Tx } from './schema.ts';
import type { AttemptRefusal, BindRefusal, ConsentAttempt, ConsentStore } from './face/consents.ts';

/** Consents on their way: single-use states, and the directory that an environment is bound to. */
export function createConsents(db: Database): ConsentStore {
  return {
    async begin(stateHash, attempt, expiresAt) {
      await db
        .insertInto('consent_attempt')
        .values({
          state_hash: stateHash,
          tenant_no: attempt.tenantNo,
          step: attempt.step,
          browser_hash: attempt.browserHash,
          entra_tenant: attempt.entraTenant,
          sealed: attempt.sealed,
          expires_at: expiresAt,
        })
        .execute();
    },

    async use(stateHash, browserHash) {
      // One statement: of two callbacks with the same state, one finds it unused.
      const { rows } = await sql<AttemptRow>`
        UPDATE consent_attempt a SET used_at = now()
        FROM tenant t
        WHERE a.state_hash = ${stateHash}::bytea AND a.browser_hash = ${browserHash}::bytea
          AND a.used_at IS NULL AND a.expires_at > now()
          AND t.no = a.tenant_no AND t.deleted_at IS NULL AND t.deleting_at IS NULL
        RETURNING a.tenant_no, a.step, a.browser_hash, a.entra_tenant, a.sealed`.execute(db);
      const [used] = rows;
      return used ? fromRow(used) : whyRefused(db, stateHash);
    },

    async look(stateHash, browserHash) {
      const { rows } = await sql<AttemptRow>`
        SELECT a.tenant_no, a.step, a.browser_hash, a.entra_tenant, a.sealed
        FROM consent_attempt a JOIN tenant t ON t.no = a.tenant_no
        WHERE a.state_hash = ${stateHash}::bytea AND a.browser_hash = ${browserHash}::bytea
          AND a.used_at IS NULL AND a.expires_at > now()
          AND t.deleted_at IS NULL AND t.deleting_at IS NULL`.execute(db);
      const [found] = rows;
      return found ? fromRow(found) : whyRefused(db, stateHash);
    },

    refusal: (tenantNo, entraTenant) => db.transaction().execute((tx) => whyNotBound(tx, tenantNo, entraTenant)),

    bind: (tenantNo, entraTenant, begun = {}) =>
      db.transaction().execute(async (tx) => {
        const refusal = await whyNotBound(tx, tenantNo, entraTenant, begun.linkSerial);
        if (refusal) return refusal;
        await chooseGroups(tx, tenantNo, begun.groups);
        return bindDirectory(tx, tenantNo, entraTenant);
      }),

    propose: (tenantNo, candidate, begun = {}) =>
      db.transaction().execute(async (tx) => {
        const refusal = await whyNotBound(tx, tenantNo, candidate.entraTenantId, begun.linkSerial);
        if (refusal) return refusal;
        await chooseGroups(tx, tenantNo, begun.groups);
        await tx
          .updateTable('tenant')
          .set({ candidate: JSON.stringify(candidate), updated_at: sql`now()` })
          .where('no', '=', tenantNo)
          .execute();
        return insertIntent(tx, tenantNo, 'consent');
      }),

    approve: (tenantNo) =>
      db.transaction().execute(async (tx) => {
        const tenant = await lockTenant(tx, tenantNo);
        if (!tenant?.candidate) return 'nothing_to_approve';
        const directory = tenant.candidate.entraTenantId;
        const refusal = await whyNotBound(tx, tenantNo, directory);
        if (refusal) return refusal === 'directory_taken' ? refusal : 'nothing_to_approve';
        return bindDirectory(tx, tenantNo, directory);
      }),

    async sweep() {
      await sql`DELETE FROM consent_attempt WHERE expires_at < now() - interval '1 day'`.execute(db);
    },
  };
}

interface AttemptRow {
  readonly tenant_no: number;
  readonly step: ConsentAttempt['step'];
  readonly browser_hash: Uint8Array;
  readonly entra_tenant: string | null;
  readonly sealed: Uint8Array | null;
}

const fromRow = (row: AttemptRow): ConsentAttempt => ({
  tenantNo: row.tenant_no,
  step: row.step,
  browserHash: row.browser_hash,
  entraTenant: row.entra_tenant,
  sealed: row.sealed,
});

/** An attempt of a tenant that is gone is as unknown as one that never was. */
async function whyRefused(db: Database, stateHash: Uint8Array): Promise<AttemptRefusal> {
  const { rows } = await sql<{ used: boolean; expired: boolean }>`
    SELECT a.used_at IS NOT NULL AS used, a.expires_at <= now() AS expired
    FROM consent_attempt a JOIN tenant t ON t.no = a.tenant_no
    WHERE a.state_hash = ${stateHash}::bytea AND t.deleted_at IS NULL AND t.deleting_at IS NULL`.execute(db);
  const [attempt] = rows;
  if (!attempt) return 'unknown';
  if (attempt.used) return 'used';
  return attempt.expired ? 'expired' : 'other_browser';
}

function lockTenant(tx: Tx, tenantNo: number) {
  return tx
    .selectFrom('tenant')
    .select(['entra_tenant', 'candidate', 'shared_directory', 'link_serial'])
    .where('no', '=', tenantNo)
    .where('deleted_at', 'is', null)
    .where('deleting_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

/** Locks the tenant's row, and all who want this directory behind each other: two must not both find it free. */
async function whyNotBound(
  tx: Tx,
  tenantNo: number,
  directory: string,
  linkSerial?: number,
): Promise<BindRefusal | undefined> {
  const tenant = await lockTenant(tx, tenantNo);
  if (!tenant) throw new Error(`There is no tenant ${tenantNo} to consent to`);
  if (linkSerial !== undefined && linkSerial !== tenant.link_serial) return 'link_revoked';
  if (tenant.entra_tenant !== null && tenant.entra_tenant !== directory.toLowerCase()) return 'bound_to_another';
  if (tenant.shared_directory) return undefined;
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('directory ' || lower(${directory}), 0))`.execute(tx);
  const { rows } = await sql`
    SELECT 1 FROM tenant
    WHERE entra_tenant = ${directory}::uuid AND no <> ${tenantNo} AND deleted_at IS NULL AND NOT shared_directory`.execute(
    tx,
  );
  return rows.length > 0 ? 'directory_taken' : undefined;
}

/** What the product has named is not for the customer's administrator to change. */
async function chooseGroups(tx: Tx, tenantNo: number, groups: readonly string[] = []): Promise<void> {
  if (groups.length === 0) return;
  await sql`
    UPDATE tenant SET groups_to_sync = ${JSON.stringify(groups)}::jsonb
    WHERE no = ${tenantNo} AND groups_to_sync = '[]'::jsonb`.execute(tx);
}

async function bindDirectory(tx: Tx, tenantNo: number, directory: string) {
  await tx
    .updateTable('tenant')
    .set({ entra_tenant: directory, candidate: null, updated_at: sql`now()` })
    .where('no', '=', tenantNo)
    .execute();
  return insertIntent(tx, tenantNo, 'consent');
}
