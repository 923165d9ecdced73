import { list, LIST_HEADERS } from '../list.ts';
import { defineRoute } from '../route.ts';
import { membership } from '../schemas/directory.ts';
import { GUID_PAIR } from '../schemas/fields.ts';
import { pageOf, paging } from '../schemas/paging.ts';
import { tenantPath } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const getMemberships = defineRoute({
  method: 'get',
  path: '/v1/tenants/{id}/memberships',
  tag: 'Directory',
  summary: 'List direct memberships',
  description: 'Between an existing group and a member that is not soft-deleted.',
  access: 'key',
  params: tenantPath,
  query: paging,
  answers: {
    200: {
      description: 'Memberships by group and member',
      schema: pageOf(membership, 'Memberships'),
      lines: membership,
      headers: LIST_HEADERS,
    },
  },
  problems: ['tenant-not-found', 'invalid-cursor'],
  async handle(input, deps) {
    return withTenant(input.params.id, deps, ({ no }) =>
      list(input, deps, {
        read: (after, limit) => deps.store.directory.memberships(no, after, limit),
        toJson: ({ groupId, memberId, memberType }) => ({ groupId, memberId, memberType }),
        keys: GUID_PAIR,
      }),
    );
  },
});
