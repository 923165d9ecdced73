import type { TenantRow } from '../../store/face/tenants.ts';
import type { Reply } from '../reply.ts';
import { page } from './page.tsx';
import { ownerOf } from './whom-it-serves.tsx';

/** The end for whoever came without a set-up link: how it goes on is told to those who hold one. */
export function arrivedPage(tenant: TenantRow, base: string): Reply<never> {
  return page({
    status: 200,
    title: 'Your consent has arrived',
    base,
    tenant,
    step: 'What happens now',
    content: (
      <>
        <p>
          The permissions are checked now, which can take Microsoft some minutes; then people and groups are read for
          the first time. You may close this page.
        </p>
        <p>{ownerOf(tenant)} sees how far it is, and will tell you if something is still needed from you.</p>
      </>
    ),
  });
}
