import type { TenantRow } from '../store/face/tenants.ts';
import type { ApiDeps } from './deps.ts';
import type { Reply } from './reply.ts';
import { json, problem } from './reply.ts';
import type { IntentKind } from '../domain/intent.ts';
import { announce } from './announce.ts';
import type { TenantJson } from './schemas/tenant.ts';
import { toTenant } from './tenant-view.ts';

/** Runs `work` with the tenant, or says that there is none. */
export async function withTenant<T>(
  id: string,
  deps: ApiDeps,
  work: (tenant: TenantRow) => Promise<Reply<T>>,
): Promise<Reply<T>> {
  const tenant = await deps.store.tenants.byId(id);
  return tenant === undefined ? problem('tenant-not-found') : work(tenant);
}

/** The same for whatever changes a tenant: one that is being deleted can no longer be changed. */
export async function withLiveTenant<T>(
  id: string,
  deps: ApiDeps,
  work: (tenant: TenantRow) => Promise<Reply<T>>,
): Promise<Reply<T>> {
  return withTenant(id, deps, async (tenant) =>
    tenant.deletingAt === null ? work(tenant) : problem('state-conflict', 'The tenant is being deleted.'),
  );
}

/** The tenant as it stands after a change, which administrators alone make. */
export async function showTenant(no: number, status: number, deps: ApiDeps): Promise<Reply<TenantJson>> {
  const tenant = await deps.store.tenants.byNo(no);
  return tenant === undefined ? problem('tenant-not-found') : json(status, toTenant(tenant, 'administrator', deps));
}

/** Commits what is wanted of the workflow, tells it, and answers with the tenant: 202. */
export async function order(tenant: TenantRow, kind: IntentKind, deps: ApiDeps): Promise<Reply<TenantJson>> {
  const intent = await deps.store.intents.add(tenant.no, kind);
  await announce(intent, tenant.id, deps);
  return showTenant(tenant.no, 202, deps);
}
