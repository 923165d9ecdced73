import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { orderRound } from '../sync-now.ts';

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
    return orderRound(params.id, 'resync', deps);
  },
});
