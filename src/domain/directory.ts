/** What is kept of a directory, in Graph's own property names. */

export const USER_ATTRIBUTES = [
  'userPrincipalName',
  'displayName',
  'givenName',
  'surname',
  'mail',
  'mailNickname',
  'otherMails',
  'proxyAddresses',
  'accountEnabled',
  'userType',
  'externalUserState',
  'jobTitle',
  'department',
  'companyName',
  'employeeId',
  'officeLocation',
  'usageLocation',
  'preferredLanguage',
  'createdDateTime',
  'onPremisesSyncEnabled',
] as const;

export const GROUP_ATTRIBUTES = [
  'displayName',
  'description',
  'mail',
  'mailNickname',
  'mailEnabled',
  'securityEnabled',
  'groupTypes',
  'visibility',
  'isAssignableToRole',
  'onPremisesSyncEnabled',
] as const;

/** What Graph sets of every object (nullable: false, or required to create one): whoever lacks it is known in part. */
export const ALWAYS_SET = {
  user: ['userPrincipalName', 'displayName', 'accountEnabled'],
  group: ['displayName', 'mailEnabled', 'securityEnabled'],
} as const;

export type Feed = 'users' | 'groups';
export const FEEDS: readonly Feed[] = ['users', 'groups'];

export type ObjectKind = 'user' | 'group';
export const KIND_OF: Readonly<Record<Feed, ObjectKind>> = { users: 'user', groups: 'group' };
export type MemberType = 'user' | 'group' | 'device' | 'servicePrincipal' | 'orgContact';

/** An object's attributes under Graph's names; a key that is absent was never set. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface Membership {
  readonly groupId: string;
  readonly memberId: string;
  readonly memberType: MemberType;
}

/** `changed`: soft-deleted, restorable for 30 days. `deleted`: gone for good. */
export type RemovalReason = 'changed' | 'deleted';

/**
 * One item of a delta page, as the feed said it, in the order of arrival.
 * `attributes` holds the keys that were present, null included: present merges, null clears, absent keeps.
 */
export type DeltaItem =
  | {
      readonly kind: 'object';
      readonly id: string;
      readonly attributes: Attributes;
      readonly members: readonly MemberChange[];
    }
  | { readonly kind: 'removed'; readonly id: string; readonly reason: RemovalReason };

export interface MemberChange {
  readonly memberId: string;
  readonly memberType: MemberType;
  readonly removed: boolean;
}

/** A page of a feed: its items and exactly one link, to the next page or for the next round. */
export interface DeltaPage {
  readonly items: readonly DeltaItem[];
  readonly nextLink?: string;
  readonly deltaLink?: string;
}
