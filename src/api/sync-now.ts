import { mayFetch } from '../domain/tenant.ts';
import type { TenantRow } from '../store/face/tenants.ts';
import type { ApiDeps } from './deps.ts';
import { problem, type Reply } from './reply.ts';
import type { TenantJson } from './schemas/tenant.ts';
import { order, withLiveTenant } from './with-tenant.ts';

/** Orders a round of a tenant, or says why there can be none. */
export function orderRound(id: string, kind: 'sync' | 'resync', deps: ApiDeps): Promise<Reply<TenantJson>> {
  return withLiveTenant(id, deps, async (row) => {
    const reason = whyNotNow(row);
    return reason === undefined ? order(row, kind, deps) : problem('state-conflict', reason);
  });
}

/** Why a round cannot be asked for; undefined where it can. */
function whyNotNow(tenant: Pick<TenantRow, 'phase' | 'paused'>): string | undefined {
  if (!mayFetch(tenant.phase)) return `Nothing can be read from the directory in the phase ${tenant.phase}.`;
  return tenant.paused ? 'The tenant is paused: resume it first.' : undefined;
}
