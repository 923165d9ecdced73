import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { orderRound } from '../sync-now.ts';

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
    return orderRound(params.id, 'sync', deps);
  },
});
