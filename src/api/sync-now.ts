import { mayFetch } from '../domain/tenant.ts';
import type { TenantRow } from '../store/store.ts';

/** Why a round cannot be asked for; undefined where it can. */
export function whyNotNow(tenant: Pick<TenantRow, 'phase' | 'paused'>): string | undefined {
  if (!mayFetch(tenant.phase)) return `Nothing can be read from the directory in the phase ${tenant.phase}.`;
  return tenant.paused ? 'The tenant is paused: resume it first.' : undefined;
}
