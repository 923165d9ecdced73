import { orderHeld } from '../order-held.ts';
import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';

export const postHeldReject = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/held/reject',
  tag: 'Tenants',
  summary: 'Drop the removals that wait',
  description: 'A full round follows, which reads everything again and may hold again.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict', 'nothing-held'],
  async handle({ params }, deps) {
    return orderHeld(params.id, 'reject_held', deps);
  },
});
