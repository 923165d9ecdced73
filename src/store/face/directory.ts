import type { Attributes, MemberType, Membership } from '../../domain/directory.ts';
import type { Page } from './tenants.ts';

export interface ObjectRow {
  readonly id: string;
  readonly data: Attributes;
}

export interface DirectoryStore {
  users(tenantNo: number, after: string | undefined, limit: number): Promise<Page<ObjectRow>>;
  groups(tenantNo: number, after: string | undefined, limit: number): Promise<Page<ObjectRow>>;
  memberships(tenantNo: number, after: string | undefined, limit: number): Promise<Page<Membership>>;
  user(tenantNo: number, id: string): Promise<ObjectRow | undefined>;
  group(tenantNo: number, id: string): Promise<ObjectRow | undefined>;
  /** Groups of a user; transitive through nested groups, guarded against cycles. */
  groupsOf(
    tenantNo: number,
    userId: string,
    transitive: boolean,
    after: string | undefined,
    limit: number,
  ): Promise<Page<ObjectRow>>;
  /** Members of a group with their type; transitive likewise. Data is null for members that are not mirrored. */
  membersOf(
    tenantNo: number,
    groupId: string,
    transitive: boolean,
    after: string | undefined,
    limit: number,
  ): Promise<Page<{ readonly id: string; readonly memberType: MemberType; readonly data: Attributes | null }>>;
  /** The shortest chain of groups from the user to the group, else undefined: `[group directly joined, …, groupId]`. */
  path(tenantNo: number, userId: string, groupId: string): Promise<readonly string[] | undefined>;
}
