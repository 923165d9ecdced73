import type { TenantRow } from '../../store/face/tenants.ts';
import { basePathOf } from '../base-path.ts';
import type { ApiDeps } from '../deps.ts';
import { noSuchSignInPage } from '../pages/sign-in-page.tsx';
import type { Reply } from '../reply.ts';
import { tenantId } from '../schemas/tenant.ts';
import { allowedReturnUrl } from './return-url.ts';

export interface SignInTarget {
  readonly tenant: TenantRow;
  readonly entraTenant: string;
  readonly returnTo: string;
}

/** Runs `work` for a connected environment and an address of its list. All else is answered alike: ids are not for guessing. */
export async function withSignIn(
  id: string,
  returnTo: string | undefined,
  deps: ApiDeps,
  work: (target: SignInTarget) => Promise<Reply<never>> | Reply<never>,
): Promise<Reply<never>> {
  const given = tenantId.safeParse(id);
  // An id that cannot be one is looked up as well: the time must not tell it from an unknown one.
  const tenant = await deps.store.tenants.byId(given.success ? given.data : '?');
  const target = tenant && targetOf(tenant, returnTo);
  return target === undefined ? noSuchSignInPage(basePathOf(deps.config.publicUrl)) : work(target);
}

function targetOf(tenant: TenantRow, asked: string | undefined): SignInTarget | undefined {
  const returnTo = allowedReturnUrl(asked, tenant.signIn.returnUrls);
  const { entraTenantId, phase, deletingAt } = tenant;
  if (returnTo === undefined || entraTenantId === null || phase === 'revoked' || deletingAt !== null) return undefined;
  return { tenant, entraTenant: entraTenantId, returnTo };
}
