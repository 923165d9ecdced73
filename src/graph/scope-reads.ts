import type { ObjectKind } from '../domain/directory.ts';
import type { GroupCandidate } from '../domain/scope.ts';
import type { GraphClient } from './client.ts';
import { ID } from './delta-item.ts';
import type { GraphFailure } from './failures.ts';
import { isObject, textOf, type Json } from './json.ts';
import { readList, type ListRequest } from './list.ts';

export interface FindGroupsRequest {
  readonly displayName: string;
  readonly accessToken: string;
  readonly signal?: AbortSignal;
}

/** At most `CANDIDATES`: more than one is too many already. */
export type FindGroupsOutcome = { readonly kind: 'found'; readonly groups: readonly GroupCandidate[] } | GraphFailure;

interface Assignment {
  readonly principalId: string;
  readonly kind: ObjectKind;
}

export type AssignedOutcome = { readonly kind: 'listed'; readonly assignments: readonly Assignment[] } | GraphFailure;

const CANDIDATES = 20;

/** Groups of this name, compared as Graph compares it: without case (3.5). */
export async function findGroups(
  client: GraphClient,
  { displayName, accessToken, signal }: FindGroupsRequest,
): Promise<FindGroupsOutcome> {
  // A quote in a text of OData is doubled.
  const filter = encodeURIComponent(`displayName eq '${displayName.replaceAll("'", "''")}'`);
  const path = `/groups?$filter=${filter}&$select=id,displayName,mail&$top=${CANDIDATES}`;
  const reply = await client.get(path, { accessToken, asked: 'entity', ...(signal ? { signal } : {}) });
  if (reply.kind !== 'ok') return reply;
  const value = reply.body['value'];
  if (!Array.isArray(value)) return { kind: 'unavailable' };
  return { kind: 'found', groups: value.flatMap((entry: unknown) => candidateOf(entry) ?? []) };
}

function candidateOf(entry: unknown): GroupCandidate | undefined {
  const id = isObject(entry) ? textOf(entry['id']) : undefined;
  if (!isObject(entry) || id === undefined || !ID.test(id)) return undefined;
  return {
    id: id.toLowerCase(),
    displayName: textOf(entry['displayName']) ?? null,
    mail: textOf(entry['mail']) ?? null,
  };
}

/** Who is assigned to our application: users, and groups of which the direct members are (3.6). */
export async function listAssigned(
  client: GraphClient,
  origin: string,
  clientId: string,
  request: ListRequest,
): Promise<AssignedOutcome> {
  const { accessToken, signal } = request;
  const principal = await client.get(`/servicePrincipals(appId='${clientId}')?$select=id`, {
    accessToken,
    asked: 'entity',
    ...(signal ? { signal } : {}),
  });
  if (principal.kind !== 'ok') return principal;
  const id = textOf(principal.body['id']);
  if (id === undefined) return { kind: 'unavailable' };
  const assignments: Assignment[] = [];
  const path = `/servicePrincipals/${encodeURIComponent(id)}/appRoleAssignedTo`;
  const read = await readList(client, origin, request, path, (entry) => assignments.push(...assignmentOf(entry)));
  return read.kind === 'listed' ? { ...read, assignments } : read;
}

function assignmentOf(entry: Json): readonly Assignment[] {
  const id = textOf(entry['principalId']);
  const type = textOf(entry['principalType'])?.toLowerCase();
  if (id === undefined || !ID.test(id) || (type !== 'user' && type !== 'group')) return [];
  return [{ principalId: id.toLowerCase(), kind: type }];
}

export interface DeletedRequest extends ListRequest {
  readonly kind: ObjectKind;
}

export type DeletedOutcome = { readonly kind: 'listed'; readonly ids: readonly string[] } | GraphFailure;

/** Users or groups that are soft-deleted, and may be restored (3.8). */
export async function listDeleted(
  client: GraphClient,
  origin: string,
  request: DeletedRequest,
): Promise<DeletedOutcome> {
  const ids: string[] = [];
  const path = `/directory/deletedItems/microsoft.graph.${request.kind}?$select=id&$top=999`;
  const read = await readList(client, origin, request, path, (entry) => {
    const id = textOf(entry['id']);
    if (id !== undefined && ID.test(id)) ids.push(id.toLowerCase());
  });
  return read.kind === 'listed' ? { ...read, ids } : read;
}
