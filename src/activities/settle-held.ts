import type { HeldVerdict } from '../domain/activities.ts';
import type { ActivityDeps, RunContext } from './deps.ts';

/** Does what a person decided about the removals that the guard holds. May be repeated: what is done is held no more. */
export async function settleHeld(
  { store, log }: Pick<ActivityDeps, 'store' | 'log'>,
  { tenantNo, verdict }: { readonly tenantNo: number; readonly verdict: HeldVerdict },
  context: RunContext,
): Promise<{ heldSince: string | null }> {
  if (verdict === 'reject') {
    await store.held.reject(tenantNo);
    log.info({ tenantNo }, 'Held removals are rejected: a full round follows');
    return { heldSince: null };
  }
  const heldSince = await store.held.approve(tenantNo, () => {
    context.signal.throwIfAborted();
    context.heartbeat();
  });
  log.info({ tenantNo, heldSince }, 'Held removals are approved and applied');
  return { heldSince: heldSince ?? null };
}
