import { isOfOrigin, type GraphClient } from './client.ts';
import { isObject, textOf, type Json } from './json.ts';

export interface AssignmentRequest {
  readonly entraTenant: string;
  readonly userId: string;
  /** Groups that the person is a direct member of: nested groups do not count (1.9). */
  readonly groupIds: readonly string[];
  readonly signal?: AbortSignal;
}

/** `unknown`: Graph could not be asked, or did not tell. */
export type Assignment = 'assigned' | 'not_assigned' | 'unknown';

const PAGES_AT_MOST = 200;

/** Reads "Users and groups" of our enterprise application, page by page; `Application.Read.All` allows it (3.6). */
export async function readAssignment(
  client: GraphClient,
  { origin, clientId }: { readonly origin: string; readonly clientId: string },
  accessToken: string,
  { userId, groupIds, signal }: AssignmentRequest,
): Promise<Assignment> {
  const get = (path: string) => client.get(path, { accessToken, asked: 'entity', ...(signal ? { signal } : {}) });
  const principal = await get(`/servicePrincipals(appId='${clientId}')?$select=id`);
  const id = principal.kind === 'ok' ? textOf(principal.body['id']) : undefined;
  if (id === undefined) return 'unknown';
  const wanted = new Set([userId, ...groupIds].map((one) => one.toLowerCase()));
  let link: string | undefined = `/servicePrincipals/${encodeURIComponent(id)}/appRoleAssignedTo`;
  for (let page = 0; link !== undefined && page < PAGES_AT_MOST; page++) {
    const reply = await get(link);
    const principals = reply.kind === 'ok' ? principalsOn(reply.body) : undefined;
    if (reply.kind !== 'ok' || principals === undefined) return 'unknown';
    if (principals.some((one) => wanted.has(one))) return 'assigned';
    link = textOf(reply.body['@odata.nextLink']);
    if (link !== undefined && !isOfOrigin(link, origin)) return 'unknown';
  }
  return link === undefined ? 'not_assigned' : 'unknown';
}

function principalsOn(body: Json): readonly string[] | undefined {
  const value = body['value'];
  if (!Array.isArray(value)) return undefined;
  return value
    .filter(isObject)
    .map((entry) => textOf(entry['principalId'])?.toLowerCase())
    .filter((one) => one !== undefined);
}
