import { z } from 'zod';
import { indexOf, kindOf, OBJECT_KINDS, refOf, type ObjectKind, type ObjectRef } from '../directory/object-ref.ts';
import { resourceNotFound, unknownSegment } from './graph-error.ts';
import { demand, READ_PERMISSIONS, type GraphAnswer, type GraphRequest } from './graph-request.ts';
import { listCount, listPage } from './list.ts';
import { entity, findLive, mixed } from './objects.ts';
import type { PathPart } from './path.ts';

/** `/users/{id}/memberOf`, `/groups/{id}/members/microsoft.graph.user`, `/groups/{id}/transitiveMembers/$count` … */
export function answerRelation(
  request: GraphRequest,
  kind: 'user' | 'group',
  id: string,
  path: readonly PathPart[],
): GraphAnswer {
  const [relation, ...rest] = path;
  if (relation === undefined) throw unknownSegment('');
  if (kind === 'user' && relation.name === 'manager') {
    const [extra] = rest;
    if (extra !== undefined) throw unknownSegment(extra.name);
    demand(request.caller, READ_PERMISSIONS.user);
    return manager(request, id);
  }
  const walk = walkOf(kind, relation.name);
  if (walk === undefined) throw unknownSegment(relation.name);
  // The page of a user's own groups names no application permission; in practice either kind of read opens it, and a
  // group that may not be read shows its id alone.
  const permissions = walk.up ? [...READ_PERMISSIONS.user, ...READ_PERMISSIONS.group] : READ_PERMISSIONS.group;
  demand(request.caller, permissions);
  const { cast, count } = endOf(rest);
  const start = findLive(request, kind, id);
  const listing = mixed(request, function* members() {
    for (const ref of walk.transitive ? reachable(request, start, walk.up) : neighbours(request, start, walk.up)) {
      // v1.0 leaves service principals out of lists of members (known issue of Graph).
      if (!walk.up && kindOf(ref) === 'servicePrincipal') continue;
      if (cast === undefined || kindOf(ref) === cast) yield ref;
    }
  });
  return count ? listCount(request, listing) : listPage(request, listing);
}

interface Walk {
  /** From a member to its groups, or from a group to its members. */
  readonly up: boolean;
  readonly transitive: boolean;
}

function walkOf(kind: 'user' | 'group', relation: string): Walk | undefined {
  if (relation === 'memberOf' || relation === 'transitiveMemberOf') {
    return { up: true, transitive: relation === 'transitiveMemberOf' };
  }
  if (kind === 'group' && (relation === 'members' || relation === 'transitiveMembers')) {
    return { up: false, transitive: relation === 'transitiveMembers' };
  }
  return undefined;
}

/** What may follow a relation: a cast to a type, `$count`, or both. */
function endOf(parts: readonly PathPart[]): { readonly cast: ObjectKind | undefined; readonly count: boolean } {
  const names = parts.map((part) => part.name);
  const cast = OBJECT_KINDS.find((kind) => names[0]?.toLowerCase() === `microsoft.graph.${kind}`.toLowerCase());
  const after = cast === undefined ? names : names.slice(1);
  const count = after[0] === '$count';
  const [extra] = count ? after.slice(1) : after;
  if (extra !== undefined) throw unknownSegment(extra);
  return { cast, count };
}

function* neighbours(request: GraphRequest, ref: ObjectRef, up: boolean): Generator<ObjectRef> {
  if (up) for (const group of request.view.groupsOf(ref)) yield refOf('group', indexOf(group));
  else yield* request.view.members(ref);
}

/** Groups may hold each other in a ring, so what was seen is not entered again. */
function* reachable(request: GraphRequest, start: ObjectRef, up: boolean): Generator<ObjectRef> {
  const seen = new Set<ObjectRef>([start]);
  const open = [start];
  for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
    for (const next of neighbours(request, ref, up)) {
      if (seen.has(next)) continue;
      seen.add(next);
      yield next;
      if (kindOf(next) === 'group' && request.view.status(next) === 'live') open.push(next);
    }
  }
}

function manager(request: GraphRequest, id: string): GraphAnswer {
  const user = findLive(request, 'user', id);
  const ref = request.tenant.directory.managerOf(user);
  if (ref === undefined) throw resourceNotFound('manager');
  const { '@odata.context': context, ...shown } = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(entity(request, 'user', ref, 'directoryObjects').body));
  return { body: JSON.stringify({ '@odata.context': context, '@odata.type': '#microsoft.graph.user', ...shown }) };
}
