import type { AppRoleAssignment } from '../app-grants.ts';
import { textOf } from '../directory/directory-record.ts';
import { kindOf, type ObjectRef } from '../directory/object-ref.ts';
import { badRequest, resourceNotFound, unsupportedQuery } from './graph-error.ts';
import { contextUrl, type GraphAnswer, type GraphRequest } from './graph-request.ts';

const CLIENT_FILTER = /^\s*clientId\s+eq\s+'([^']+)'\s*$/i;

/** A service principal by object id or, in the other key syntax, by the application's id. */
export function findPrincipal(request: GraphRequest, id: string, isAppId: boolean): ObjectRef {
  const { directory, grants } = request.tenant;
  if (isAppId) {
    const known = grants.principalOf(id);
    if (known !== undefined) return known;
    for (const ref of directory.live('servicePrincipal')) {
      if (textOf(directory.record(ref), 'appId')?.toLowerCase() === id.toLowerCase()) return ref;
    }
    throw resourceNotFound(id);
  }
  const ref = directory.find(id);
  if (ref === undefined || kindOf(ref) !== 'servicePrincipal' || !directory.isLive(ref)) throw resourceNotFound(id);
  return ref;
}

/** What a service principal was granted: the proof of a consent (reference, 1.4). */
export function appRoleAssignments(request: GraphRequest, principal: ObjectRef): GraphAnswer {
  return assignmentList(request, request.tenant.grants.assignmentsOf(principal));
}

/** Who was assigned to a service principal. */
export function appRoleAssignedTo(request: GraphRequest, resource: ObjectRef): GraphAnswer {
  return assignmentList(request, request.tenant.grants.assignedTo(resource));
}

function assignmentList(request: GraphRequest, assignments: readonly AppRoleAssignment[]): GraphAnswer {
  const { directory } = request.tenant;
  const nameOf = (ref: ObjectRef): string | null => textOf(directory.record(ref), 'displayName') ?? null;
  const value = assignments.map((assignment) => ({
    id: assignment.id,
    deletedDateTime: null,
    appRoleId: assignment.appRoleId,
    createdDateTime: assignment.createdDateTime,
    principalDisplayName: nameOf(assignment.principal),
    principalId: directory.idOf(assignment.principal),
    principalType: assignment.principalType,
    resourceDisplayName: nameOf(assignment.resource),
    resourceId: directory.idOf(assignment.resource),
  }));
  return { body: JSON.stringify({ '@odata.context': contextUrl(request, 'appRoleAssignments', undefined), value }) };
}

/** `/oauth2PermissionGrants?$filter=clientId eq '…'` */
export function permissionGrants(request: GraphRequest): GraphAnswer {
  const { directory, grants } = request.tenant;
  const filter = request.options.get('$filter');
  const client = filter === undefined ? undefined : CLIENT_FILTER.exec(filter)?.[1];
  if (filter !== undefined && client === undefined) throw unsupportedQuery('Only clientId eq is supported here.');
  const refs = client === undefined ? [...directory.live('servicePrincipal')] : [directory.find(client)];
  const value = refs.flatMap((ref) =>
    (ref === undefined ? [] : grants.grantsOf(ref)).map((grant) => ({
      id: grant.id,
      clientId: directory.idOf(grant.client),
      consentType: grant.principal === undefined ? 'AllPrincipals' : 'Principal',
      principalId: grant.principal === undefined ? null : directory.idOf(grant.principal),
      resourceId: directory.idOf(grant.resource),
      scope: grant.scope,
    })),
  );
  return {
    body: JSON.stringify({ '@odata.context': contextUrl(request, 'oauth2PermissionGrants', undefined), value }),
  };
}

/** Keys that OData allows besides the id: `servicePrincipals(appId='…')`. */
export function alternateKey(text: string): string {
  const key = /^appId='([^']*)'$/i.exec(text)?.[1];
  if (key === undefined) throw badRequest(`Invalid key '${text}'.`);
  return key;
}
