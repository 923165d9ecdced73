import type { DirectoryStore, ObjectRow } from '../store/face/directory.ts';
import type { TenantRow } from '../store/face/tenants.ts';
import type { AccessAnswer, AccessQuestion } from './schemas/access.ts';

/** Decides from the mirror. Whatever is not known counts against the person. */
export async function checkAccess(
  tenant: TenantRow,
  question: AccessQuestion,
  directory: Pick<DirectoryStore, 'user' | 'path'>,
  now = Date.now(),
): Promise<AccessAnswer> {
  const user = await directory.user(tenant.no, question.userId);
  const groups: AccessAnswer['groups'] = [];
  for (const groupId of question.groups) {
    const path = user === undefined ? undefined : await directory.path(tenant.no, question.userId, groupId);
    groups.push({ groupId, member: path !== undefined, path: path === undefined ? null : [...path] });
  }
  const attributes = Object.entries(question.attributes).map(([name, expected]) => {
    const actual = user?.data[name] ?? null;
    return { name, expected, actual, ok: user !== undefined && matches(actual, expected) };
  });
  const reason = reasonAgainst(tenant, user, groups, attributes);
  return {
    allowed: reason === null,
    reason,
    groups,
    attributes,
    asOf: tenant.asOf,
    ageSeconds: tenant.asOf === null ? null : Math.max(0, Math.round((now - Date.parse(tenant.asOf)) / 1000)),
  };
}

function matches(actual: unknown, expected: unknown): boolean {
  return Array.isArray(actual) ? actual.includes(expected) : actual === expected;
}

function reasonAgainst(
  tenant: TenantRow,
  user: ObjectRow | undefined,
  groups: AccessAnswer['groups'],
  attributes: AccessAnswer['attributes'],
): AccessAnswer['reason'] {
  // Until the first round is complete a missing membership means nothing, and neither does a present one.
  if (tenant.asOf === null) return 'not_synced';
  if (user === undefined) return 'unknown_user';
  if (user.data['accountEnabled'] !== true) return 'user_disabled';
  if (groups.some(({ member }) => !member)) return 'not_member';
  return attributes.some(({ ok }) => !ok) ? 'attribute_differs' : null;
}
