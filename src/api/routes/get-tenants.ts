import { roleOf } from '../keys/holder.ts';
import { list, LIST_HEADERS } from '../list.ts';
import { defineRoute } from '../route.ts';
import { pageOf, paging } from '../schemas/paging.ts';
import { tenant } from '../schemas/tenant.ts';
import { toTenant } from '../tenant-view.ts';

export const getTenants = defineRoute({
  method: 'get',
  path: '/v1/tenants',
  tag: 'Tenants',
  summary: 'List tenants',
  access: 'key',
  ownTenantOnly: true,
  query: paging,
  answers: {
    200: {
      description: 'Tenants by id',
      schema: pageOf(tenant, 'Tenants'),
      lines: tenant,
      headers: LIST_HEADERS,
    },
  },
  problems: ['invalid-cursor'],
  async handle(input, deps) {
    return list(input, deps, {
      read: (after, limit) => deps.store.tenants.list(after, limit, input.caller.key?.tenant?.no),
      toJson: (row) => toTenant(row, roleOf(input.caller), deps),
      keys: /^[A-Za-z0-9._-]{1,64}$/,
    });
  },
});
