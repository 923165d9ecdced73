import { checkAccess } from '../access-check.ts';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';
import { accessAnswer, accessQuestion } from '../schemas/access.ts';
import { tenantPath } from '../schemas/tenant.ts';
import { withTenant } from '../with-tenant.ts';

export const postAccessCheck = defineRoute({
  method: 'post',
  path: '/v1/tenants/{id}/access/check',
  tag: 'Directory',
  summary: 'Is this person in these groups, with these attributes?',
  description:
    'All groups (directly or through others) and all attributes have to match. A person who is not in the mirror, or whose account is disabled, is never allowed.',
  access: 'key',
  role: 'reader',
  params: tenantPath,
  body: accessQuestion,
  answers: { 200: { description: 'The decision, with its reasons', schema: accessAnswer } },
  problems: ['tenant-not-found'],
  async handle({ params, body }, deps) {
    return withTenant(params.id, deps, async (row) => json(200, await checkAccess(row, body, deps.store.directory)));
  },
});
