import { json } from '../reply.ts';
import { roleOf } from '../keys/holder.ts';
import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { toTenant } from '../tenant-view.ts';
import { withTenant } from '../with-tenant.ts';

export const getTenant = defineRoute({
  method: 'get',
  path: '/v1/tenants/{id}',
  tag: 'Tenants',
  summary: 'Read a tenant',
  access: 'key',
  params: tenantPath,
  answers: { 200: { description: 'The tenant', schema: tenant } },
  problems: ['tenant-not-found'],
  async handle({ params, caller }, deps) {
    return withTenant(params.id, deps, async (row) => json(200, toTenant(row, roleOf(caller), deps)));
  },
});
