import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';

/** The first segment of a sign-in address: one tenant, or one of the names that stand for several. */
export type Authority =
  | { readonly kind: 'tenant'; readonly name: string; readonly tenant: Tenant }
  | { readonly kind: 'many'; readonly name: 'organizations' | 'common' }
  | { readonly kind: 'unknown'; readonly name: string };

export function resolveAuthority(world: World, name: string): Authority {
  const wanted = name.toLowerCase();
  if (wanted === 'organizations' || wanted === 'common') return { kind: 'many', name: wanted };
  const tenant = world.findTenant(wanted);
  if (tenant === undefined) return { kind: 'unknown', name };
  return { kind: 'tenant', name: tenant.id, tenant };
}

export function issuerOf(world: World, tenantId: string): string {
  return `${world.issuerOrigin}/${tenantId}/v2.0`;
}

/** The tenants whose people may sign in at an authority. */
export function tenantsOf(world: World, authority: Authority): Tenant[] {
  if (authority.kind === 'tenant') return [authority.tenant];
  return authority.kind === 'many' ? [...world.tenants.values()] : [];
}
