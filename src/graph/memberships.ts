import type { Membership, ObjectKind } from '../domain/directory.ts';
import type { GraphClient } from './client.ts';
import { ID, MEMBER_TYPES } from './delta-item.ts';
import type { GraphFailure } from './failures.ts';
import { textOf, type Json } from './json.ts';
import { readList, type ListRequest } from './list.ts';

export interface MembershipsRequest extends ListRequest {
  readonly kind: ObjectKind;
  readonly id: string;
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
  const groups = await readList(
    client,
    origin,
    request,
    `/${kind}s/${id}/memberOf?$select=id&$top=999`,
    each((other, type) => {
      if (type === 'group') memberships.push({ groupId: other, memberId: id, memberType: kind });
    }),
  );
  if (groups.kind !== 'listed' || kind === 'user')
    return groups.kind === 'listed' ? { ...groups, memberships } : groups;
  const members = await readList(
    client,
    origin,
    request,
    `/groups/${id}/members?$select=id&$top=999`,
    each((other, type) => memberships.push({ groupId: id, memberId: other, memberType: type })),
  );
  return members.kind === 'listed' ? { ...members, memberships } : members;
}

const each =
  (found: (id: string, type: Membership['memberType']) => void) =>
  (entry: Json): void => {
    const id = textOf(entry['id']);
    const type = MEMBER_TYPES.get(textOf(entry['@odata.type']) ?? '');
    if (id !== undefined && ID.test(id) && type !== undefined) found(id.toLowerCase(), type);
  };
