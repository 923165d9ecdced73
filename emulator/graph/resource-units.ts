import type { HttpRequest } from '../http/message.ts';
import { parsePath } from './path.ts';

/** Of what is emulated; whatever is not listed costs 1. `me` costs as a user does. */
const COSTS: readonly (readonly [RegExp, number])[] = [
  // The page lists `users` alone; answers to users/delta have been seen to say 2 (reference, 4.2).
  [/^users(\/delta)?$/, 2],
  [/^groups\/[^/]+\/members$/, 3],
  [/^groups\/[^/]+\/transitiveMembers$/, 5],
  [/^users\/[^/]+\/(memberOf|transitiveMemberOf)$/, 2],
  [/^oauth2PermissionGrants$/, 2],
  [/^servicePrincipals\/[^/]+\/appRoleAssignments$/, 2],
  [/^directoryObjects\/getByIds$/, 3],
];

/** What a request costs (throttling limits of Graph: identity and access). */
export function resourceUnits(http: HttpRequest): number {
  const shape = shapeOf(http.path);
  let cost = COSTS.find(([path]) => path.test(shape))?.[1] ?? 1;
  if (http.query.has('$select')) cost -= 1;
  if (http.query.has('$expand')) cost += 1;
  const top = Number(http.query.get('$top') ?? Number.NaN);
  if (top < 20) cost -= 1;
  return Math.max(1, cost);
}

/** The path after the version, `users('id')` and `servicePrincipals(appId='…')` written as `users/id` is. */
function shapeOf(path: string): string {
  return parsePath(path)
    .flatMap(({ name, key, alternate }) => (key === undefined && alternate === undefined ? [name] : [name, '{id}']))
    .join('/');
}
