import { announce } from '../announce.ts';
import { problem } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { approval, tenant, tenantPath } from '../schemas/tenant.ts';
import { showTenant, withLiveTenant } from '../with-tenant.ts';

export const postApprove = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/approve',
  tag: 'Tenants',
  summary: 'Approve the directory that waits in `candidate`',
  description:
    'Name the directory that you looked at: another one that has come in since is then not approved in its place.',
  access: 'key',
  // Whoever approves vouches for a directory, which may be another tenant's.
  allTenantsOnly: true,
  params: tenantPath,
  body: approval,
  answers: { 202: { description: 'Connected', schema: tenant } },
  problems: ['tenant-not-found', 'state-conflict', 'nothing-to-approve', 'directory-taken'],
  async handle({ params, body }, deps) {
    return withLiveTenant(params.id, deps, async (row) => {
      if (row.candidate !== null && body !== undefined && body.entraTenantId !== row.candidate.entraTenantId) {
        return problem('nothing-to-approve', 'Another directory waits than the one that was named.');
      }
      const result = await deps.store.consents.approve(row.no);
      if (result === 'nothing_to_approve') return problem('nothing-to-approve');
      if (result === 'directory_taken') return problem('directory-taken');
      await announce(result, row.id, deps);
      return showTenant(row.no, 202, deps);
    });
  },
});
