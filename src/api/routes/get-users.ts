import { list, LIST_HEADERS } from '../list.ts';
import { defineRoute } from '../route.ts';
import { user, toUser } from '../schemas/directory.ts';
import { GUID } from '../schemas/fields.ts';
import { pageOf, paging } from '../schemas/paging.ts';
import { tenantPath } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const getUsers = defineRoute({
  method: 'get',
  path: '/v1/tenants/{id}/users',
  tag: 'Directory',
  summary: 'List the people of the directory',
  description: "Under Graph's own names; what was never set is null.",
  access: 'key',
  params: tenantPath,
  query: paging,
  answers: {
    200: { description: 'Users by id', schema: pageOf(user, 'Users'), lines: user, headers: LIST_HEADERS },
  },
  problems: ['tenant-not-found', 'invalid-cursor'],
  async handle(input, deps) {
    return withTenant(input.params.id, deps, ({ no, scope }) =>
      list(input, deps, {
        read: (after, limit) => deps.store.directory.users(no, after, limit),
        toJson: toUser(scope),
        keys: GUID,
      }),
    );
  },
});
