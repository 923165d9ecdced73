import type { ApiDeps } from './deps.ts';
import { problem, type Reply } from './reply.ts';
import type { TenantJson } from './schemas/tenant.ts';
import { order, withLiveTenant } from './with-tenant.ts';

/** Orders what a person decided about held removals, where some are held. */
export function orderHeld(id: string, kind: 'approve_held' | 'reject_held', deps: ApiDeps): Promise<Reply<TenantJson>> {
  return withLiveTenant(id, deps, async (row) => {
    const held = await deps.store.held.summary(row.no);
    return held === undefined ? problem('nothing-held') : order(row, kind, deps);
  });
}
