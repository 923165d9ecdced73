import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { order, withLiveTenant } from '../with-tenant.ts';

export const postPause = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/pause',
  tag: 'Tenants',
  summary: 'Pause',
  description: 'Nothing is asked of Microsoft until it is resumed; the mirror goes on answering.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict'],
  async handle({ params }, deps) {
    return withLiveTenant(params.id, deps, (row) => order(row, 'pause', deps));
  },
});
