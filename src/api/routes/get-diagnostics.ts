import { diagnose } from '../findings.ts';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { diagnostics } from '../schemas/diagnostics.ts';
import { tenantPath } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const getDiagnostics = defineRoute({
  method: 'get',
  path: '/v1/tenants/{id}/diagnostics',
  tag: 'Tenants',
  summary: 'What is known of a tenant, what failed, and who must do what',
  description:
    "Looks at the way to Microsoft, the application's credentials, the enterprise application, its permissions and each endpoint, now; nothing is changed.",
  access: 'key',
  params: tenantPath,
  answers: { 200: { description: 'Findings, the gravest first', schema: diagnostics } },
  problems: ['tenant-not-found'],
  async handle({ params }, deps) {
    return withTenant(params.id, deps, async (row) =>
      json(200, {
        tenant: row.id,
        state: row.state,
        at: new Date().toISOString(),
        findings: await diagnose(row, deps),
      }),
    );
  },
});
