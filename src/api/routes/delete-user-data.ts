import * as z from 'zod';
import { json, problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { guid } from '../schemas/fields.ts';
import { tenantId } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const deleteUserData = defineRoute({
  method: 'delete',
  path: '/v1/tenants/{id}/users/{userId}/data',
  tag: 'Directory',
  summary: "Erase a deleted person's data",
  description:
    'Of somebody who is deleted in the directory (also where that is held for approval), or not in the mirror: attributes, memberships, and the data of the events that are kept. The id alone stays. Whoever is still in the directory would come back with the next change.',
  access: 'key',
  params: z.strictObject({ id: tenantId, userId: guid }),
  answers: {
    202: {
      description: 'Erased',
      schema: z.strictObject({ tenant: z.string(), userId: z.string() }).meta({ id: 'Erasure' }),
    },
  },
  problems: ['tenant-not-found', 'user-not-deleted'],
  async handle({ params }, deps) {
    return withTenant(params.id, deps, async (tenant) => {
      const outcome = await deps.store.retention.erasePerson(tenant.no, params.userId);
      if (outcome === 'living') {
        return problem('user-not-deleted', 'Delete the account in the directory first, and wait for the next round.');
      }
      return json(202, { tenant: tenant.id, userId: params.userId });
    });
  },
});
