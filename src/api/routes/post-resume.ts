import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { order, withLiveTenant } from '../with-tenant.ts';

export const postResume = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/resume',
  tag: 'Tenants',
  summary: 'Resume',
  description: 'Goes on where it was paused.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict'],
  async handle({ params }, deps) {
    return withLiveTenant(params.id, deps, (row) => order(row, 'resume', deps));
  },
});
