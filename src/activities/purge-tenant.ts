import type { PurgeOutcome } from '../domain/activities.ts';
import type { ActivityDeps, RunContext } from './deps.ts';

export async function purgeRevoked(
  { store, log }: Pick<ActivityDeps, 'store' | 'log'>,
  { tenantNo }: { readonly tenantNo: number },
  context: RunContext,
): Promise<PurgeOutcome> {
  const outcome = await store.tenants.purgeRevoked(tenantNo, () => {
    context.signal.throwIfAborted();
    context.heartbeat();
  });
  if (outcome.purged) log.info({ tenantNo }, 'The tenant was revoked long enough ago: its mirror is purged');
  return { dueAt: outcome.dueAt === null ? null : Date.parse(outcome.dueAt) };
}

export async function purgeTenant(
  { store, log }: Pick<ActivityDeps, 'store' | 'log'>,
  { tenantNo }: { readonly tenantNo: number },
  context: RunContext,
): Promise<void> {
  await store.tenants.purge(tenantNo, () => {
    context.signal.throwIfAborted();
    context.heartbeat();
  });
  log.info({ tenantNo }, 'The tenant and all that was kept of it are deleted');
}
