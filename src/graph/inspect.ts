import type { ProbeFacts, TenantFacts } from '../domain/doctor.ts';
import { TOKEN_FAILURES } from '../domain/activities.ts';
import type { GraphClient, GraphReply } from './client.ts';
import { isObject, textOf } from './json.ts';
import { PERMISSION_BY_ROLE_ID } from './permissions.ts';
import type { TokenOutcome } from './token-source.ts';

/** One cheap request each; a permission that is granted and not honoured yet shows here. */
const ENDPOINTS = {
  users: '/users?$top=1&$select=id',
  groups: '/groups?$top=1&$select=id',
  'users/delta': '/users/delta?$deltatoken=latest&$select=id',
  'groups/delta': '/groups/delta?$deltatoken=latest&$select=id',
} as const;
const ASSIGNED_SHOWN = 20;

/** All that Microsoft says of our application in one directory, for a person who asks why something does not work. */
export async function inspectTenant(
  client: GraphClient,
  application: Pick<TenantFacts, 'clientId' | 'portal'>,
  token: TokenOutcome,
  signal?: AbortSignal,
): Promise<TenantFacts> {
  if (token.kind === 'refused') {
    const { failure, aadsts, requestId } = token;
    const refused = {
      code: TOKEN_FAILURES[failure],
      ...(aadsts === undefined ? {} : { aadsts }),
      ...(requestId === undefined ? {} : { requestId }),
    };
    return { ...application, refused, probes: [] };
  }
  const { accessToken, roles, secondCredential } = token;
  const get = (path: string) => client.get(path, { accessToken, asked: 'entity', ...(signal ? { signal } : {}) });
  const [principal, probes] = await Promise.all([
    readPrincipal(get, application.clientId),
    Promise.all(Object.entries(ENDPOINTS).map(async ([endpoint, path]) => probeOf(endpoint, await get(path)))),
  ]);
  // The directory knows better than a token that may be older; without a word of either the probes tell alone.
  const granted = principal?.granted ?? roles;
  return {
    ...application,
    ...(secondCredential === undefined ? {} : { secondCredential }),
    ...(principal === undefined ? {} : { principal: principal.facts }),
    granted,
    probes,
  };
}

type Get = (path: string) => Promise<GraphReply>;

async function readPrincipal(get: Get, clientId: string) {
  const select = '$select=id,appId,accountEnabled,appRoleAssignmentRequired';
  const found = await get(`/servicePrincipals(appId='${clientId}')?${select}`);
  const id = found.kind === 'ok' ? textOf(found.body['id']) : undefined;
  if (found.kind !== 'ok' || id === undefined) return undefined;
  const path = `/servicePrincipals/${encodeURIComponent(id)}`;
  const [roles, people] = await Promise.all([get(`${path}/appRoleAssignments`), get(`${path}/appRoleAssignedTo`)]);
  return {
    facts: {
      id,
      enabled: found.body['accountEnabled'] !== false,
      assignmentRequired: found.body['appRoleAssignmentRequired'] === true,
      assigned: listOf(people).slice(0, ASSIGNED_SHOWN).map(nameOf),
    },
    granted:
      roles.kind === 'ok'
        ? listOf(roles).flatMap(
            (entry) => PERMISSION_BY_ROLE_ID.get(textOf(entry['appRoleId'])?.toLowerCase() ?? '') ?? [],
          )
        : undefined,
  };
}

const listOf = (reply: GraphReply) =>
  reply.kind === 'ok' && Array.isArray(reply.body['value']) ? reply.body['value'].filter(isObject) : [];

const nameOf = (entry: Readonly<Record<string, unknown>>): string =>
  `${textOf(entry['principalDisplayName']) ?? textOf(entry['principalId']) ?? '?'} (${textOf(entry['principalType']) ?? '?'})`;

function probeOf(endpoint: string, reply: GraphReply): ProbeFacts {
  if (reply.kind === 'ok') return { endpoint, kind: 'ok' };
  return {
    endpoint,
    kind: reply.kind,
    ...('code' in reply && reply.code !== undefined ? { code: reply.code } : {}),
    ...('requestId' in reply && reply.requestId !== undefined ? { requestId: reply.requestId } : {}),
  };
}
