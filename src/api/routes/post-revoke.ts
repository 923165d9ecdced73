import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { order, withLiveTenant } from '../with-tenant.ts';

export const postRevoke = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/revoke',
  tag: 'Tenants',
  summary: 'Withdraw from the directory',
  description: 'Nothing more is read until consent is given again; the mirror is kept.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict'],
  async handle({ params }, deps) {
    return withLiveTenant(params.id, deps, (row) => order(row, 'revoke', deps));
  },
});
