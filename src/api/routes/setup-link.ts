import { defineRoute, type Route } from '../route.ts';
import { tenant, tenantPath } from '../schemas/tenant.ts';
import { showTenant, withLiveTenant } from '../with-tenant.ts';

const setupLink = (
  method: 'post' | 'delete',
  told: { readonly summary: string; readonly description: string; readonly answer: string },
): Route =>
  defineRoute({
    method,
    path: '/v1/tenants/{id}/setup-link',
    tag: 'Tenants',
    summary: told.summary,
    description: told.description,
    access: 'key',
    params: tenantPath,
    answers: { 200: { description: told.answer, schema: tenant } },
    problems: ['tenant-not-found', 'state-conflict'],
    async handle({ params }, deps) {
      return withLiveTenant(params.id, deps, async ({ no }) => {
        await deps.store.tenants.replaceLink(no, method === 'post' ? 'renew' : 'revoke');
        return showTenant(no, 200, deps);
      });
    },
  });

export const postSetupLink = setupLink('post', {
  summary: 'Renew the set-up link',
  description:
    'Every link that was handed out before leads nowhere from now on, and a consent that was begun by one comes to nothing. What is connected stays connected.',
  answer: 'The tenant with its new `setupUrl`',
});

export const deleteSetupLink = setupLink('delete', {
  summary: 'Revoke the set-up link',
  description: 'As by renewing, and there is no other: `setupUrl` is null until one is made.',
  answer: 'The tenant without a `setupUrl`',
});
