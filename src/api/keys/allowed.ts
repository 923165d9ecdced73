import type { Method } from '../route.ts';
import type { KeyHolder } from './holder.ts';

/** What of a route says who may come. */
export interface Door {
  readonly method: Method;
  readonly path: string;
  readonly role?: KeyHolder['role'];
  readonly ownTenantOnly?: true;
  readonly allTenantsOnly?: true;
}

/** Routes of one tenant name it first. */
export const OF_A_TENANT = '/v1/tenants/{id}';

/** Why a key does not open a door, in words; undefined where it does. What says nothing of itself stays closed. */
export function whyNotAllowed(door: Door, { role, tenant }: KeyHolder): string | undefined {
  if (role === 'reader' && roleFor(door) === 'administrator')
    return 'It is a key with the role reader, which changes nothing: a key with the role administrator is needed.';
  return tenant === null || isOpenToOne(door) ? undefined : ofOneTenant(tenant.id);
}

/** Why a key of one tenant is not enough. */
export const ofOneTenant = (tenantId: string): string =>
  `It is a key of the tenant ${tenantId} alone: a key of all tenants is needed.`;

const isOpenToOne = ({ path, ownTenantOnly, allTenantsOnly }: Door): boolean =>
  !allTenantsOnly && (path.startsWith(OF_A_TENANT) || ownTenantOnly === true);

/** Calls that are written into the audit log. */
export const changes = (door: Door): boolean => door.method !== 'get' && roleFor(door) === 'administrator';

const roleFor = ({ method, role }: Door): KeyHolder['role'] => role ?? (method === 'get' ? 'reader' : 'administrator');

/** Another tenant than that of the key is answered for as if there were none. */
export const isHidden = (tenantId: string, holder: KeyHolder | undefined): boolean =>
  holder !== undefined && holder.tenant !== null && holder.tenant.id !== tenantId;
