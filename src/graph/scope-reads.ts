import type { GroupCandidate } from '../domain/scope.ts';
import { isOfOrigin, type GraphClient } from './client.ts';
import { ID } from './delta-item.ts';
import type { GraphFailure } from './failures.ts';
import { isObject, textOf, type Json } from './json.ts';

interface ReadRequest {
  readonly accessToken: string;
  readonly signal?: AbortSignal;
}

export interface FindGroupsRequest extends ReadRequest {
  readonly displayName: string;
}

/** At most `CANDIDATES`: more than one is too many already. */
export type FindGroupsOutcome = { readonly kind: 'found'; readonly groups: readonly GroupCandidate[] } | GraphFailure;

export type AssignedOutcome =
  | {
      readonly kind: 'listed';
      readonly assignments: readonly { readonly principalId: string; readonly kind: 'user' | 'group' }[];
    }
  | GraphFailure;

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

export interface AssignedRequest extends ReadRequest {
  /** Told before each page: thousands may be assigned. */
  readonly beat?: () => void;
}

/** Who is assigned to our application: users, and groups of which the direct members are (3.6). */
export async function listAssigned(
  client: GraphClient,
  origin: string,
  clientId: string,
  request: AssignedRequest,
): Promise<AssignedOutcome> {
  const asked = {
    accessToken: request.accessToken,
    asked: 'entity',
    ...(request.signal ? { signal: request.signal } : {}),
  } as const;
  const principal = await client.get(`/servicePrincipals(appId='${clientId}')?$select=id`, asked);
  if (principal.kind !== 'ok') return principal;
  const id = textOf(principal.body['id']);
  if (id === undefined) return { kind: 'unavailable' };
  const assignments: { principalId: string; kind: 'user' | 'group' }[] = [];
  const seen = new Set<string>();
  for (
    let link: string | undefined = `/servicePrincipals/${encodeURIComponent(id)}/appRoleAssignedTo`;
    link !== undefined;
  ) {
    if (seen.has(link)) return { kind: 'unavailable' };
    seen.add(link);
    request.beat?.();
    const reply = await client.get(link, asked);
    if (reply.kind !== 'ok') return reply;
    const value = reply.body['value'];
    if (!Array.isArray(value)) return { kind: 'unavailable' };
    assignments.push(...value.filter(isObject).flatMap((entry) => assignmentOf(entry) ?? []));
    link = textOf(reply.body['@odata.nextLink']);
    if (link !== undefined && !isOfOrigin(link, origin)) return { kind: 'refused', code: 'LinkToAnotherOrigin' };
  }
  return { kind: 'listed', assignments };
}

function assignmentOf(entry: Json): { principalId: string; kind: 'user' | 'group' } | undefined {
  const id = textOf(entry['principalId']);
  const type = textOf(entry['principalType'])?.toLowerCase();
  if (id === undefined || !ID.test(id) || (type !== 'user' && type !== 'group')) return undefined;
  return { principalId: id.toLowerCase(), kind: type };
}
