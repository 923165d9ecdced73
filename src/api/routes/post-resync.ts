import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { whyNotNow } from '../sync-now.ts';
import { order, withLiveTenant } from '../with-tenant.ts';

export const postResync = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/resync',
  tag: 'Tenants',
  summary: 'Read everything again',
  description: 'A full round beside the mirror, which goes on answering; only differences become events.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict'],
  async handle({ params }, deps) {
    return withLiveTenant(params.id, deps, async (row) => {
      const reason = whyNotNow(row);
      return reason === undefined ? order(row, 'resync', deps) : problem('state-conflict', reason);
    });
  },
});
