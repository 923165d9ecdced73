import type { TenantRow } from '../../store/face/tenants.ts';
import { basePathOf } from '../base-path.ts';
import type { ApiDeps } from '../deps.ts';
import { expiredLinkPage, noSuchLinkPage } from '../pages/link-pages.tsx';
import type { Reply } from '../reply.ts';
import { readSetupToken } from './setup-link.ts';

/** Runs `work` with the tenant that a set-up link names, or shows why the link leads nowhere. */
export async function withLink(
  token: string,
  deps: ApiDeps,
  work: (tenant: TenantRow, base: string) => Promise<Reply<never>> | Reply<never>,
): Promise<Reply<never>> {
  const base = basePathOf(deps.config.publicUrl);
  const link = readSetupToken(token, deps.sealer, new Date());
  if (link === 'expired') return expiredLinkPage(base);
  if (link === 'forged') return noSuchLinkPage(base);
  const tenant = await deps.store.tenants.byNo(link.tenantNo);
  if (tenant === undefined || tenant.deletingAt !== null || tenant.linkSerial !== link.serial) {
    return noSuchLinkPage(base);
  }
  return work(tenant, base);
}
