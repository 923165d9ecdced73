import * as z from 'zod';
import { list, LIST_HEADERS } from '../list.ts';
import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { member, toMember } from '../schemas/directory.ts';
import { guid, GUID } from '../schemas/fields.ts';
import { flag, pageOf, paging } from '../schemas/paging.ts';
import { tenantId } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const getGroupMembers = defineRoute({
  method: 'get',
  path: '/v1/tenants/{id}/groups/{groupId}/members',
  tag: 'Directory',
  summary: 'List the members of a group',
  access: 'key',
  params: z.strictObject({ id: tenantId, groupId: guid }),
  query: paging.extend({ transitive: flag.meta({ description: 'Through nested groups too' }) }),
  answers: {
    200: { description: 'Members by id', schema: pageOf(member, 'Members'), lines: member, headers: LIST_HEADERS },
  },
  problems: ['tenant-not-found', 'group-not-found', 'invalid-cursor'],
  async handle(input, deps) {
    const { params, query } = input;
    return withTenant(params.id, deps, async ({ no }) => {
      if ((await deps.store.directory.group(no, params.groupId)) === undefined) return problem('group-not-found');
      return list(input, deps, {
        read: (after, limit) => deps.store.directory.membersOf(no, params.groupId, query.transitive, after, limit),
        toJson: toMember,
        keys: GUID,
      });
    });
  },
});
