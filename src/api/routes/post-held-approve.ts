import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { order, withLiveTenant } from '../with-tenant.ts';

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
    return withLiveTenant(params.id, deps, async (row) => {
      const held = await deps.store.held.summary(row.no);
      return held === undefined ? problem('nothing-held') : order(row, 'approve_held', deps);
    });
  },
});
