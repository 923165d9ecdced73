import { defineRoute } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { orderRound } from '../sync-now.ts';

export const postReconcile = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/reconcile',
  tag: 'Tenants',
  summary: 'Hold the mirror against a fresh read now',
  description:
    'Everything is read afresh beside the delta rounds, as it is once a week by itself. What differs is looked at again after five minutes, and then applied with its events; `reconcile` of the tenant tells how much that was, by kind.',
  access: 'key',
  params: tenantPath,
  answers: { 202: { description: 'Ordered', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict'],
  async handle({ params }, deps) {
    const row = await deps.store.tenants.byId(params.id);
    if (row) await deps.store.reconcile.ask(row.no);
    return orderRound(params.id, 'sync', deps);
  },
});
