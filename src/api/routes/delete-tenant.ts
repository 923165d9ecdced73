import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { order, withTenant } from '../with-tenant.ts';

export const deleteTenant = defineRoute({
  method: 'delete',
  path: '/v1/tenants/{id}',
  tag: 'Tenants',
  summary: 'Delete a tenant with all its data',
  description: 'Reading it answers until everything is deleted; then the id is free again.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'It will be deleted', schema: tenant } },
  problems: ['tenant-not-found'],
  async handle({ params }, deps) {
    return withTenant(params.id, deps, (row) => order(row, 'delete', deps));
  },
});
