import type * as z from 'zod';
import { refusalOf, type SignInRefusal } from '../../domain/sign-in.ts';
import { sha256 } from '../consent/browser.ts';
import type { ApiDeps } from '../deps.ts';
import { json, problem, type Reply } from '../reply.ts';
import { toGroup, toUser } from '../schemas/directory.ts';
import type { codeExchange, signedIn } from '../schemas/sign-in.ts';
import { groupsOf } from './groups.ts';
import { readReturnUrl } from './return-url.ts';

const WHY: Readonly<Record<SignInRefusal, string>> = {
  revoked: 'The connection to the directory was withdrawn.',
  first_sync: 'The first reading of the directory is not complete.',
  not_in_mirror: 'The person is not in the mirror any more.',
  deleted: 'The person was deleted.',
  disabled: 'The account was disabled.',
};

/**
 * Who came in with this code, as the mirror has them now. A code is used up even where it is refused; one of another tenant
 * than `onlyOf` is as unknown as one that never was.
 */
export async function exchange(
  asked: z.output<typeof codeExchange>,
  onlyOf: number | undefined,
  deps: ApiDeps,
  now = Date.now(),
): Promise<Reply<z.input<typeof signedIn>>> {
  const { store } = deps;
  const issued = await store.signIns.redeem(sha256(asked.code), onlyOf);
  const tenant = issued && (await store.tenants.byNo(issued.tenantNo));
  if (issued === undefined || tenant === undefined || tenant.deletingAt !== null)
    return problem('invalid-sign-in-code');
  if (asked.tenant !== undefined && asked.tenant !== tenant.id) return problem('invalid-sign-in-code');
  if (asked.returnTo !== undefined && readReturnUrl(asked.returnTo) !== issued.returnTo) {
    return problem('invalid-sign-in-code');
  }
  const person = await store.signIns.person(tenant.no, issued.userId);
  const refusal = refusalOf(
    tenant,
    person && { deleted: person.deleted, accountEnabled: person.data['accountEnabled'] },
  );
  if (refusal !== undefined) return problem('sign-in-refused', WHY[refusal]);
  if (person === undefined || tenant.asOf === null) return problem('sign-in-refused');

  const direct = new Set((await groupsOf(tenant.no, issued.userId, false, deps)).map(({ id }) => id));
  const groups = await groupsOf(tenant.no, issued.userId, true, deps);
  return json(200, {
    tenant: tenant.id,
    entraTenantId: issued.entraTenantId,
    tid: issued.entraTenantId,
    oid: issued.userId,
    user: toUser(tenant.scope)({ id: issued.userId, data: person.data }),
    groups: groups.map((group) => Object.assign(toGroup(tenant.scope)(group), { direct: direct.has(group.id) })),
    returnTo: issued.returnTo,
    signedInAt: issued.signedInAt,
    authTime: issued.authTime,
    asOf: tenant.asOf,
    ageSeconds: Math.max(0, Math.round((now - Date.parse(tenant.asOf)) / 1000)),
  });
}
