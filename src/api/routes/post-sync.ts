import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { whyNotNow } from '../sync-now.ts';
import { order, withLiveTenant } from '../with-tenant.ts';

export const postSync = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/sync',
  tag: 'Tenants',
  summary: 'Ask for changes now',
  description: 'A delta round, in place of waiting for the next one.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict'],
  async handle({ params }, deps) {
    return withLiveTenant(params.id, deps, async (row) => {
      const reason = whyNotNow(row);
      return reason === undefined ? order(row, 'sync', deps) : problem('state-conflict', reason);
    });
  },
});
