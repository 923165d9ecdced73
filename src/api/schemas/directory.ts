import * as z from 'zod';
import { GROUP_ATTRIBUTES, USER_ATTRIBUTES, type Attributes } from '../../domain/directory.ts';
import type { Scope } from '../../domain/scope.ts';
import type { ObjectRow } from '../../store/face/directory.ts';

const text = z.string().nullable();
const yesNo = z.boolean().nullable();
const texts = z.array(z.string()).nullable();

const userShape = {
  userPrincipalName: text,
  displayName: text,
  givenName: text,
  surname: text,
  mail: text,
  mailNickname: text,
  otherMails: texts,
  proxyAddresses: texts,
  accountEnabled: yesNo,
  userType: text,
  externalUserState: text,
  jobTitle: text,
  department: text,
  companyName: text,
  employeeId: text,
  officeLocation: text,
  usageLocation: text,
  preferredLanguage: text,
  createdDateTime: text,
  onPremisesSyncEnabled: yesNo,
} satisfies Record<(typeof USER_ATTRIBUTES)[number], z.ZodType>;

const groupShape = {
  displayName: text,
  description: text,
  mail: text,
  mailNickname: text,
  mailEnabled: yesNo,
  securityEnabled: yesNo,
  groupTypes: texts,
  visibility: text,
  isAssignableToRole: yesNo,
  onPremisesSyncEnabled: yesNo,
} satisfies Record<(typeof GROUP_ATTRIBUTES)[number], z.ZodType>;

const id = z.string().meta({ format: 'uuid' });

/** Graph's own names; what was never set is null. */
export const user = z
  .looseObject({ id, ...userShape })
  .meta({ id: 'User', description: "With the tenant's `scope.userAttributes`" });
export const group = z
  .looseObject({ id, ...groupShape })
  .meta({ id: 'Group', description: "With the tenant's `scope.groupAttributes`" });

export const memberType = z.enum(['user', 'group', 'device', 'servicePrincipal', 'orgContact']);
export const membership = z.strictObject({ groupId: id, memberId: id, memberType }).meta({ id: 'Membership' });

export const member = z
  .strictObject({
    id,
    memberType,
    displayName: text.meta({ description: 'Null too for members that are not mirrored, such as devices' }),
  })
  .meta({ id: 'Member' });

// The mirror holds what Graph sent; its types are held by Graph's metadata, so rows are shaped here, not checked again.
const shaped = (names: readonly string[], id: string, data: Attributes): unknown => {
  const object: Record<string, unknown> = { id };
  for (const name of names) object[name] = data[name] ?? null;
  return object;
};

export const toUser =
  ({ userAttributes }: Scope) =>
  (row: ObjectRow) =>
    shaped([...USER_ATTRIBUTES, ...userAttributes], row.id, row.data) as z.input<typeof user>;
export const toGroup =
  ({ groupAttributes }: Scope) =>
  (row: ObjectRow) =>
    shaped([...GROUP_ATTRIBUTES, ...groupAttributes], row.id, row.data) as z.input<typeof group>;

export function toMember(row: {
  readonly id: string;
  readonly memberType: z.input<typeof memberType>;
  readonly data: Attributes | null;
}): z.input<typeof member> {
  const name = row.data?.['displayName'];
  return { id: row.id, memberType: row.memberType, displayName: typeof name === 'string' ? name : null };
}
