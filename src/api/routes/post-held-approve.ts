import { orderHeld } from '../order-held.ts';
import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';

export const postHeldApprove = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/held/approve',
  tag: 'Tenants',
  summary: 'Apply the removals that wait',
  description: 'What stands in the set now goes, with its events; what a later round adds to it does not.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict', 'nothing-held'],
  async handle({ params }, deps) {
    return orderHeld(params.id, 'approve_held', deps);
  },
});
