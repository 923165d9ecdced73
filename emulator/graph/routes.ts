import { z } from 'zod';
import { kindOf, type ObjectKind } from '../directory/object-ref.ts';
import type { DeltaService } from './delta.ts';
import { badRequest, GraphError, resourceNotFound, unknownSegment } from './graph-error.ts';
import {
  alternateKey,
  appRoleAssignedTo,
  appRoleAssignments,
  findPrincipal,
  permissionGrants,
} from './grant-routes.ts';
import {
  contextUrl,
  demand,
  DIRECTORY_PERMISSIONS,
  mayRead,
  READ_PERMISSIONS,
  type GraphAnswer,
  type GraphRequest,
} from './graph-request.ts';
import { listCount, listPage } from './list.ts';
import { collection, deletedItem, deletedItems, entity, findLive, groupsOf, SETS } from './objects.ts';
import { answerRelation } from './relations.ts';
import { organizationById, organizations } from './organization.ts';
import type { PathPart } from './path.ts';
import { renderTyped } from './render.ts';

const READ_ONLY = 'Insufficient privileges to complete the operation.';

/** The routes of Graph that are emulated. A path that is none of them is refused as Graph refuses it. */
export function answerRoute(request: GraphRequest, path: readonly PathPart[], delta: DeltaService): GraphAnswer {
  const [first, ...rest] = path;
  if (first === undefined) throw unknownSegment('');
  if (request.http.method !== 'GET') return answerWrite(request, path);
  switch (first.name) {
    case 'users':
    case 'groups':
      return answerObjects(request, first, rest, delta);
    case 'me':
      return answerMe(request, rest);
    case 'devices':
    case 'contacts':
      return answerSimple(request, first.name === 'devices' ? 'device' : 'orgContact', first, rest);
    case 'servicePrincipals':
      return answerPrincipals(request, first, rest);
    case 'organization':
      if (rest.length > 0 && first.key === undefined) return organizationById(request, only(rest).name);
      return first.key === undefined ? organizations(request) : organizationById(request, first.key);
    case 'oauth2PermissionGrants':
      nothingAfter(rest);
      // Application.Read.All is not enough here (list oauth2PermissionGrants page).
      demand(request.caller, [...DIRECTORY_PERMISSIONS, 'DelegatedPermissionGrant.ReadWrite.All']);
      return permissionGrants(request);
    case 'directory':
      return answerDirectory(request, rest);
    default:
      throw unknownSegment(first.name);
  }
}

function answerObjects(
  request: GraphRequest,
  first: PathPart,
  rest: readonly PathPart[],
  delta: DeltaService,
): GraphAnswer {
  const resource = first.name === 'users' ? 'users' : 'groups';
  const kind = resource === 'users' ? 'user' : 'group';
  const [second, third, ...more] = first.key === undefined ? rest : [{ name: first.key, key: undefined }, ...rest];
  if (second === undefined) {
    demand(request.caller, READ_PERMISSIONS[kind]);
    return listPage(request, collection(request, kind));
  }
  if (first.key === undefined && (second.name === 'delta' || second.name === '$count')) {
    nothingAfter(third === undefined ? [] : [third]);
    demand(request.caller, READ_PERMISSIONS[kind]);
    return second.name === 'delta' ? delta.answer(request, resource) : listCount(request, collection(request, kind));
  }
  if (third === undefined) {
    demand(request.caller, READ_PERMISSIONS[kind]);
    return entity(request, kind, findLive(request, kind, second.name));
  }
  return answerRelation(request, kind, second.name, [third, ...more]);
}

function answerMe(request: GraphRequest, rest: readonly PathPart[]): GraphAnswer {
  nothingAfter(rest);
  const { userId, scopes } = request.caller;
  if (userId === undefined) throw badRequest('/me request is only valid with delegated authentication flow.');
  if (!scopes.has('User.Read')) throw new GraphError(403, 'Authorization_RequestDenied', READ_ONLY);
  return entity(request, 'user', findLive(request, 'user', userId));
}

function answerSimple(
  request: GraphRequest,
  kind: ObjectKind,
  first: PathPart,
  rest: readonly PathPart[],
): GraphAnswer {
  demand(request.caller, READ_PERMISSIONS[kind]);
  const id = first.key ?? (rest.length > 0 ? only(rest).name : undefined);
  if (id === undefined) return listPage(request, collection(request, kind));
  return entity(request, kind, findLive(request, kind, id));
}

function answerPrincipals(request: GraphRequest, first: PathPart, rest: readonly PathPart[]): GraphAnswer {
  demand(request.caller, READ_PERMISSIONS.servicePrincipal);
  const parts = [...rest];
  const isAppId = first.alternate !== undefined;
  const id = first.alternate === undefined ? (first.key ?? parts.shift()?.name) : alternateKey(first.alternate);
  if (id === undefined) return listPage(request, collection(request, 'servicePrincipal'));
  const ref = findPrincipal(request, id, isAppId);
  const [relation, ...more] = parts;
  nothingAfter(more);
  switch (relation?.name) {
    case undefined:
      return entity(request, 'servicePrincipal', ref);
    case 'appRoleAssignments':
      return appRoleAssignments(request, ref);
    case 'appRoleAssignedTo':
      return appRoleAssignedTo(request, ref);
    case 'memberOf':
      return listPage(request, groupsOf(request, ref));
    default:
      throw unknownSegment(relation?.name ?? '');
  }
}

const DELETED_KINDS: Readonly<Record<string, ObjectKind>> = {
  'microsoft.graph.user': 'user',
  'microsoft.graph.group': 'group',
  'microsoft.graph.serviceprincipal': 'servicePrincipal',
};

/** `/directory/deletedItems/microsoft.graph.user`; without the type the list is refused (reference, 3.8). */
function answerDirectory(request: GraphRequest, rest: readonly PathPart[]): GraphAnswer {
  const [items, second, third, ...more] = rest;
  nothingAfter(more);
  if (items === undefined || items.name.toLowerCase() !== 'deleteditems')
    throw unknownSegment(items?.name ?? 'directory');
  if (second === undefined)
    throw badRequest('The OData cast type is a required part of the URI.', 'Request_BadRequest');
  const kind = DELETED_KINDS[second.name.toLowerCase()];
  if (kind === undefined) {
    const ref = request.tenant.directory.find(second.name);
    if (ref === undefined) throw resourceNotFound(second.name);
    demand(request.caller, READ_PERMISSIONS[kindOf(ref)]);
    return deletedItem(request, undefined, second.name);
  }
  demand(request.caller, READ_PERMISSIONS[kind]);
  if (third === undefined) return listPage(request, deletedItems(request, kind));
  if (third.name === '$count') return listCount(request, deletedItems(request, kind));
  return deletedItem(request, kind, third.name);
}

const getByIdsBody = z.object({ ids: z.array(z.string()).max(1000), types: z.array(z.string()).optional() });

/** Writes are refused, since the product has no permission to write; `getByIds` is a read by POST. */
function answerWrite(request: GraphRequest, path: readonly PathPart[]): GraphAnswer {
  const names = path.map((part) => part.name.toLowerCase()).join('/');
  if (request.http.method === 'POST' && names === 'directoryobjects/getbyids') return getByIds(request);
  const [first] = path;
  if (first === undefined || !Object.values(SETS).concat('directory', 'organization').includes(first.name)) {
    throw unknownSegment(first?.name ?? '');
  }
  throw new GraphError(403, 'Authorization_RequestDenied', READ_ONLY);
}

function getByIds(request: GraphRequest): GraphAnswer {
  demand(request.caller, DIRECTORY_PERMISSIONS);
  const parsed = getByIdsBody.safeParse(parseJson(request.http.body));
  if (!parsed.success) throw badRequest('Invalid value specified for the ids.', 'Request_BadRequest');
  const { directory } = request.tenant;
  const types = parsed.data.types?.map((type) => type.toLowerCase());
  const value = parsed.data.ids.flatMap((id) => {
    const ref = directory.find(id);
    if (ref === undefined || request.view.status(ref) !== 'live') return [];
    const kind = kindOf(ref);
    const wanted = types === undefined || types.includes('directoryobject') || types.includes(kind.toLowerCase());
    return wanted ? [renderTyped(kind, request.view.record(ref), undefined, mayRead(request.caller, kind))] : [];
  });
  return { body: JSON.stringify({ '@odata.context': contextUrl(request, 'directoryObjects', undefined), value }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function only(parts: readonly PathPart[]): PathPart {
  const [first, ...more] = parts;
  nothingAfter(more);
  if (first === undefined) throw unknownSegment('');
  return first;
}

function nothingAfter(parts: readonly PathPart[]): void {
  const [extra] = parts;
  if (extra !== undefined) throw unknownSegment(extra.name);
}
