import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { order, withLiveTenant } from '../with-tenant.ts';

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
    return withLiveTenant(params.id, deps, async (row) => {
      const held = await deps.store.held.summary(row.no);
      return held === undefined ? problem('nothing-held') : order(row, 'reject_held', deps);
    });
  },
});
