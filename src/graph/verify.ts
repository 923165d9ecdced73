import { REQUIRED_PERMISSIONS } from '../domain/names.ts';
import { missingOf } from '../domain/permissions.ts';
import type { GraphClient, GraphReply } from './client.ts';
import type { GraphFailure } from './failures.ts';
import { isObject, textOf } from './json.ts';
import { PERMISSION_BY_ROLE_ID } from './permissions.ts';
import { rolesOfToken } from './token-source.ts';

export type GrantOutcome =
  | {
      readonly kind: 'granted' | 'not_effective';
      /** Of the wanted permissions, those that are granted neither by assignment nor in the token. */
      readonly missing: readonly string[];
      readonly requestId?: string;
    }
  | Extract<GraphFailure, { kind: 'throttled' | 'unavailable' }>;

const PROBES = ['/users?$top=1&$select=id', '/groups?$top=1&$select=id'] as const;

/** The steps of 1.4 (b), (c), (e). The probes are the proof; what the token and the directory say explains them. */
export async function verifyGrant(
  client: GraphClient,
  clientId: string,
  accessToken: string,
  wanted: readonly string[],
  signal?: AbortSignal,
): Promise<GrantOutcome> {
  const get = (path: string) => client.get(path, { accessToken, asked: 'entity', ...(signal ? { signal } : {}) });
  const [assigned, ...probes] = await Promise.all([assignedPermissions(get, clientId), ...PROBES.map(get)]);
  const inToken = rolesOfToken(accessToken);

  const failures = probes.filter((reply) => reply.kind !== 'ok');
  for (const failure of failures) {
    if (failure.kind === 'throttled' || failure.kind === 'unavailable') return failure;
  }
  // Where neither source can be read, nothing is known to be missing and the probes decide alone.
  const known = inToken !== undefined || assigned !== undefined;
  const missing = known ? missingOf([...(inToken ?? []), ...(assigned ?? [])], wanted) : [];
  const effective = failures.length === 0 && !missing.some((name) => REQUIRED_PERMISSIONS.includes(name));
  const requestId = failures.map((failure) => ('requestId' in failure ? failure.requestId : undefined)).find(Boolean);
  return {
    kind: effective ? 'granted' : 'not_effective',
    missing,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** What the directory says that our service principal was granted; undefined where we may not read it. */
async function assignedPermissions(
  get: (path: string) => Promise<GraphReply>,
  clientId: string,
): Promise<readonly string[] | undefined> {
  const principal = await get(`/servicePrincipals(appId='${clientId}')?$select=id,appId,accountEnabled`);
  const id = principal.kind === 'ok' ? textOf(principal.body['id']) : undefined;
  if (id === undefined) return undefined;
  const assignments = await get(`/servicePrincipals/${encodeURIComponent(id)}/appRoleAssignments`);
  const value = assignments.kind === 'ok' ? assignments.body['value'] : undefined;
  if (!Array.isArray(value)) return undefined;
  return value
    .map((entry: unknown) => (isObject(entry) ? textOf(entry['appRoleId']) : undefined))
    .map((roleId) => (roleId === undefined ? undefined : PERMISSION_BY_ROLE_ID.get(roleId.toLowerCase())))
    .filter((name) => name !== undefined);
}
