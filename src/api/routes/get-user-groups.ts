import * as z from 'zod';
import { list, LIST_HEADERS } from '../list.ts';
import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { group, toGroup } from '../schemas/directory.ts';
import { guid, GUID } from '../schemas/fields.ts';
import { flag, pageOf, paging } from '../schemas/paging.ts';
import { tenantId } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const getUserGroups = defineRoute({
  method: 'get',
  path: '/v1/tenants/{id}/users/{userId}/groups',
  tag: 'Directory',
  summary: 'List the groups of a person',
  access: 'key',
  params: z.strictObject({ id: tenantId, userId: guid }),
  query: paging.extend({ transitive: flag.meta({ description: 'Through nested groups too' }) }),
  answers: {
    200: { description: 'Groups by id', schema: pageOf(group, 'Groups'), lines: group, headers: LIST_HEADERS },
  },
  problems: ['tenant-not-found', 'user-not-found', 'invalid-cursor'],
  async handle(input, deps) {
    const { params, query } = input;
    return withTenant(params.id, deps, async ({ no, scope }) => {
      if ((await deps.store.directory.user(no, params.userId)) === undefined) return problem('user-not-found');
      return list(input, deps, {
        read: (after, limit) => deps.store.directory.groupsOf(no, params.userId, query.transitive, after, limit),
        toJson: toGroup(scope),
        keys: GUID,
      });
    });
  },
});
