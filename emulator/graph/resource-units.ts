import type { HttpRequest } from '../http/message.ts';

const COSTS: readonly (readonly [RegExp, number])[] = [
  [/^\/v1\.0\/users(\/delta(\(\))?)?$/, 2],
  [/^\/v1\.0\/groups\/[^/]+\/members$/, 3],
  [/^\/v1\.0\/groups\/[^/]+\/transitiveMembers$/, 5],
  [/^\/v1\.0\/users\/[^/]+\/(memberOf|transitiveMemberOf)$/, 2],
  [/^\/v1\.0\/oauth2PermissionGrants$/, 2],
  [/^\/v1\.0\/servicePrincipals\/[^/]+\/appRoleAssignments$/, 2],
  [/^\/v1\.0\/directoryObjects\/getByIds$/, 3],
];

/** What a request costs (throttling limits of Graph: identity and access). */
export function resourceUnits(http: HttpRequest): number {
  let cost = COSTS.find(([path]) => path.test(http.path))?.[1] ?? 1;
  if (http.query.has('$select')) cost -= 1;
  if (http.query.has('$expand')) cost += 1;
  const top = Number(http.query.get('$top') ?? Number.NaN);
  if (top < 20) cost -= 1;
  return Math.max(1, cost);
}
