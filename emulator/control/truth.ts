import type { DirectoryRecord, Json } from '../directory/directory-record.ts';
import { indexOf, kindOf, type ObjectKind, type ObjectRef } from '../directory/object-ref.ts';
import type { Tenant } from '../tenant.ts';

const USER_ATTRIBUTES = (
  'id userPrincipalName displayName givenName surname mail mailNickname otherMails proxyAddresses ' +
  'accountEnabled userType externalUserState jobTitle department companyName employeeId officeLocation ' +
  'usageLocation preferredLanguage createdDateTime onPremisesSyncEnabled'
).split(' ');

const GROUP_ATTRIBUTES = (
  'id displayName description mail mailNickname mailEnabled securityEnabled groupTypes visibility ' +
  'isAssignableToRole onPremisesSyncEnabled'
).split(' ');

export interface TruthMembership {
  readonly groupId: string;
  readonly memberId: string;
  readonly memberType: ObjectKind;
}

/** One line of the truth: what a perfect mirror would hold, and what it would keep hidden. */
export type TruthLine =
  | { readonly kind: 'user' | 'group' | 'deletedUser' | 'deletedGroup'; readonly data: Readonly<Record<string, Json>> }
  | { readonly kind: 'membership' | 'hiddenMembership'; readonly data: TruthMembership };

/** The directory as it is, whatever faults and lags stand between it and its readers. */
export function* truthOf(tenant: Tenant): Generator<TruthLine> {
  const { directory } = tenant;
  for (const ref of directory.live('user')) yield { kind: 'user', data: pick(directory.record(ref), USER_ATTRIBUTES) };
  for (const ref of directory.live('group'))
    yield { kind: 'group', data: pick(directory.record(ref), GROUP_ATTRIBUTES) };
  for (const kind of ['user', 'group'] as const) {
    const attributes = kind === 'user' ? USER_ATTRIBUTES : GROUP_ATTRIBUTES;
    for (const ref of directory.withStatus(kind, 'softDeleted')) {
      yield { kind: kind === 'user' ? 'deletedUser' : 'deletedGroup', data: pick(directory.record(ref), attributes) };
    }
  }
  for (const group of directory.live('group')) yield* membershipsOf(tenant, group);
}

/** Memberships of soft-deleted members exist and are hidden: they come back with the member. */
function* membershipsOf(tenant: Tenant, group: ObjectRef): Generator<TruthLine> {
  const { directory } = tenant;
  const groupId = directory.idOf(group);
  for (const member of directory.memberships.membersOf(indexOf(group))) {
    const data = { groupId, memberId: directory.idOf(member), memberType: kindOf(member) };
    yield { kind: directory.isLive(member) ? 'membership' : 'hiddenMembership', data };
  }
}

/** The truth in one object. */
export function truthObject(tenant: Tenant): Record<string, unknown[]> {
  const lists: Record<string, unknown[]> = {
    users: [],
    groups: [],
    memberships: [],
    deletedUsers: [],
    deletedGroups: [],
    hiddenMemberships: [],
  };
  for (const line of truthOf(tenant)) lists[`${line.kind}s`]?.push(line.data);
  return lists;
}

/** A never set property is null here, as the product shows it; Graph's delta query leaves it out. */
function pick(record: DirectoryRecord, attributes: readonly string[]): Record<string, Json> {
  return Object.fromEntries(attributes.map((name) => [name, record[name] ?? emptyOf(name)]));
}

function emptyOf(name: string): Json {
  return name === 'otherMails' || name === 'proxyAddresses' || name === 'groupTypes' ? [] : null;
}
