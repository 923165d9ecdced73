import type { Membership, ObjectKind } from '../domain/directory.ts';
import { isOfOrigin, type GraphClient } from './client.ts';
import { ID, MEMBER_TYPES } from './delta-item.ts';
import type { GraphFailure } from './failures.ts';
import { isObject, textOf } from './json.ts';

export interface MembershipsRequest {
  readonly kind: ObjectKind;
  readonly id: string;
  readonly accessToken: string;
  /** Told before each page: a large group has hundreds. */
  readonly beat?: () => void;
  readonly signal?: AbortSignal;
}

/** Without service principals as members, of which Graph's lists say nothing (3.4), and no newer than its reads are. */
export type MembershipsOutcome =
  { readonly kind: 'listed'; readonly memberships: readonly Membership[] } | GraphFailure;

/** The direct memberships around one object: the groups that it is in, and a group's members. */
export async function listMemberships(
  client: GraphClient,
  origin: string,
  request: MembershipsRequest,
): Promise<MembershipsOutcome> {
  const { kind, id } = request;
  const memberships: Membership[] = [];
  // `$top` is the most that these lists allow (3.2).
  const groups = await list(client, origin, request, `/${kind}s/${id}/memberOf?$select=id&$top=999`, (other, type) => {
    if (type === 'group') memberships.push({ groupId: other, memberId: id, memberType: kind });
  });
  if (groups.kind !== 'listed' || kind === 'user')
    return groups.kind === 'listed' ? { ...groups, memberships } : groups;
  const members = await list(client, origin, request, `/groups/${id}/members?$select=id&$top=999`, (other, type) => {
    memberships.push({ groupId: id, memberId: other, memberType: type });
  });
  return members.kind === 'listed' ? { ...members, memberships } : members;
}

async function list(
  client: GraphClient,
  origin: string,
  { accessToken, beat, signal }: MembershipsRequest,
  path: string,
  found: (id: string, type: Membership['memberType']) => void,
): Promise<{ readonly kind: 'listed' } | GraphFailure> {
  const seen = new Set<string>();
  for (let link: string | undefined = path; link !== undefined;) {
    // A list that leads in a circle has no end, and is no answer.
    if (seen.has(link)) return { kind: 'unavailable' };
    seen.add(link);
    beat?.();
    const reply = await client.get(link, { accessToken, asked: 'entity', ...(signal ? { signal } : {}) });
    if (reply.kind !== 'ok') return reply;
    const value = reply.body['value'];
    if (!Array.isArray(value)) return { kind: 'unavailable' };
    for (const entry of value as readonly unknown[]) {
      const id = isObject(entry) ? textOf(entry['id']) : undefined;
      const type = isObject(entry) ? MEMBER_TYPES.get(textOf(entry['@odata.type']) ?? '') : undefined;
      if (id !== undefined && ID.test(id) && type !== undefined) found(id.toLowerCase(), type);
    }
    link = textOf(reply.body['@odata.nextLink']);
    if (link !== undefined && !isOfOrigin(link, origin)) return { kind: 'refused', code: 'LinkToAnotherOrigin' };
  }
  return { kind: 'listed' };
}
