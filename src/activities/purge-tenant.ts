import type { ActivityDeps, RunContext } from './deps.ts';

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
