import { sql } from 'kysely';
import type { TenantRecord } from '../domain/activities.ts';
import type { NewEvent } from '../domain/event.ts';
import { describeProblem } from '../domain/problem.ts';
import { RETAIN_DAYS } from '../domain/retention.ts';
import { type Scope, scopeOf, selectionOf } from '../domain/scope.ts';
import { type TenantState, tenantState } from '../domain/tenant.ts';
import { tell } from './events.ts';
import { raiseFences } from './fence.ts';
import { insertIntent, tickIntents } from './intents.ts';
import { createPurge, createPurgeRevoked } from './purge.ts';
import { haltReconcile } from './reconcile.ts';
import type { Database, Tx } from './schema.ts';
import { writeScope } from './scope/settings.ts';
import type { NewTenant, TenantStore } from './face/tenants.ts';
import { selectTenants, tenantFromRow } from './tenant-row.ts';

/** Environments: made by the API, moved by their workflows, purged in the end. */
export function createTenants(db: Database): TenantStore {
  return {
    create: (tenant) => db.transaction().execute((tx) => createTenant(tx, tenant)),

    async byId(id) {
      const row = await selectTenants(db).where('t.id', '=', id).executeTakeFirst();
      return row && tenantFromRow(row);
    },

    async byNo(no) {
      const row = await selectTenants(db).where('t.no', '=', no).executeTakeFirst();
      return row && tenantFromRow(row);
    },

    async nameOf(no) {
      return (await db.selectFrom('tenant').select('id').where('no', '=', no).executeTakeFirst())?.id;
    },

    async list(after, limit, no) {
      const rows = await selectTenants(db)
        .where('t.id', '>', after ?? '')
        .$if(no !== undefined, (query) => query.where('t.no', '=', no ?? 0))
        .orderBy('t.id')
        .limit(limit + 1)
        .execute();
      const data = rows.slice(0, limit).map(tenantFromRow);
      return { data, next: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },

    live: () => db.selectFrom('tenant').select(['no', 'id']).where('deleted_at', 'is', null).orderBy('no').execute(),

    update: (no, change) => db.transaction().execute((tx) => updateTenant(tx, no, change)),

    async replaceLink(no, how) {
      const set = {
        link_serial: sql<number>`link_serial + 1`,
        link_revoked: how === 'revoke',
        updated_at: sql<string>`now()`,
      };
      await db.updateTable('tenant').set(set).where('no', '=', no).where('deleted_at', 'is', null).execute();
    },

    async noteGrantCheck(no, check) {
      const set = { grant_check: JSON.stringify(check), updated_at: sql<string>`now()` };
      await db.updateTable('tenant').set(set).where('no', '=', no).where('deleted_at', 'is', null).execute();
    },

    record: (record) => db.transaction().execute((tx) => recordDecision(tx, record)),

    purge: createPurge(db),
    purgeRevoked: createPurgeRevoked(db),

    async countByState() {
      const { rows } = await sql<{ state: string; n: number }>`
        SELECT state, count(*) AS n FROM tenant WHERE deleted_at IS NULL GROUP BY state`.execute(db);
      return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
    },
  };
}

async function createTenant(tx: Tx, tenant: NewTenant): ReturnType<TenantStore['create']> {
  const inserted = await tx
    .insertInto('tenant')
    .values({
      id: tenant.id,
      name: tenant.name,
      groups_to_sync: JSON.stringify(tenant.groupsToSync),
      expected_entra_tenant: tenant.expectedEntraTenant,
      require_approval: tenant.requireApproval,
      shared_directory: tenant.sharedDirectory,
      guard: JSON.stringify(tenant.guard ?? {}),
      retain_days: tenant.retainDays ?? RETAIN_DAYS,
      profiles: JSON.stringify(tenant.profiles ?? ['directory']),
      presentation: JSON.stringify(tenant.presentation ?? {}),
      scope: JSON.stringify(tenant.scope ?? {}),
      sign_in: JSON.stringify(tenant.signIn ?? {}),
    })
    .onConflict((conflict) => conflict.column('id').where('deleted_at', 'is', null).doNothing())
    .returning('no')
    .executeTakeFirst();
  if (!inserted) return 'name_taken';
  await writeScope(tx, inserted.no, WHOLE, settingOf(tenant.groupsToSync, scopeOf(tenant.scope ?? {})));
  const intent = await insertIntent(tx, inserted.no, 'start');
  const row = await selectTenants(tx).where('t.no', '=', inserted.no).executeTakeFirstOrThrow();
  return { tenant: tenantFromRow(row), intent };
}

const WHOLE = settingOf([], scopeOf({}));

function settingOf(groups: readonly string[], scope: Scope) {
  return { groups, selection: selectionOf(groups, scope) };
}

async function updateTenant(tx: Tx, no: number, change: Parameters<TenantStore['update']>[1]): Promise<void> {
  const before = await tx
    .selectFrom('tenant')
    .select(['groups_to_sync', 'scope'])
    .where('no', '=', no)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!before) return;
  await tx
    .updateTable('tenant')
    .set({
      updated_at: sql`now()`,
      ...(change.name !== undefined && { name: change.name }),
      ...(change.groupsToSync && { groups_to_sync: JSON.stringify(change.groupsToSync) }),
      ...(change.scope && { scope: JSON.stringify(change.scope) }),
      ...(change.requireApproval !== undefined && { require_approval: change.requireApproval }),
      ...(change.sharedDirectory !== undefined && { shared_directory: change.sharedDirectory }),
      ...(change.retainDays !== undefined && { retain_days: change.retainDays }),
      ...(change.guard && { guard: JSON.stringify(change.guard) }),
      ...(change.profiles && { profiles: JSON.stringify(change.profiles) }),
      ...(change.presentation && { presentation: JSON.stringify(change.presentation) }),
      ...(change.signIn && { sign_in: JSON.stringify(change.signIn) }),
      ...(change.expectedEntraTenant !== undefined && { expected_entra_tenant: change.expectedEntraTenant }),
    })
    .where('no', '=', no)
    .execute();
  const scope = scopeOf(before.scope);
  await writeScope(
    tx,
    no,
    settingOf(before.groups_to_sync, scope),
    settingOf(change.groupsToSync ?? before.groups_to_sync, change.scope ? scopeOf(change.scope) : scope),
  );
}

async function recordDecision(tx: Tx, { tenantNo, phase, paused, problem, taken }: TenantRecord): Promise<void> {
  const before = await tx
    .selectFrom('tenant')
    .select(['id', 'name', 'state'])
    .where('no', '=', tenantNo)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  await tickIntents(tx, taken);
  // The workflow of a tenant that is purged already has nothing more to say.
  if (!before) return;
  const described = problem && describeProblem(problem);
  const state: TenantState = tenantState({ phase, paused, problem: described });
  await tx
    .updateTable('tenant')
    .set({
      phase,
      paused,
      state,
      problem: problem && JSON.stringify(problem),
      // Since when the data waits to be purged; whoever is not revoked has data again.
      revoked_at: phase === 'revoked' ? sql<string>`coalesce(revoked_at, now())` : null,
      ...(phase !== 'revoked' && { purged_at: null }),
      updated_at: sql`now()`,
    })
    .where('no', '=', tenantNo)
    .execute();
  if (phase === 'revoked') await tx.deleteFrom('tenant_token').where('tenant_no', '=', tenantNo).execute();
  if (phase === 'revoked' || paused) {
    await raiseFences(tx, tenantNo);
    await haltReconcile(tx, tenantNo);
  }
  if (state === before.state) return;
  const { id, name, state: previousState } = before;
  const event: NewEvent = {
    type: 'tenant.state_changed',
    subject: { kind: 'tenant', id },
    data: { id, name, state, phase, paused, problem: described, previousState },
  };
  await tell(tx, tenantNo, [event]);
}
