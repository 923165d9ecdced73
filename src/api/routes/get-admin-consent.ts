import * as z from 'zod';
import { basePathOf } from '../base-path.ts';
import { startConsent } from '../consent/start.ts';
import { noSuchLinkPage } from '../pages/link-pages.tsx';
import { defineRoute } from '../route.ts';
import { html, LINK_ANSWERS, parameter } from '../schemas/pages.ts';
import { tenantId } from '../schemas/tenant.ts';

export const getAdminConsent = defineRoute({
  method: 'get',
  path: '/Account/AdminConsent',
  tag: 'Pages',
  summary: "Go to Microsoft for consent, by the environment's id alone",
  description: 'Only for a tenant with `expectedEntraTenant`. All others are answered alike.',
  access: 'limited',
  page: true,
  query: z.looseObject({ tenantid: parameter }),
  answers: {
    302: { description: 'To Microsoft', headers: { Location: "Microsoft's consent page" } },
    404: LINK_ANSWERS[404],
    429: { description: 'A page: too many tries from this address', type: 'text/html', schema: html },
  },
  problems: [],
  async handle({ query, caller }, deps) {
    const id = tenantId.safeParse(query.tenantid);
    // An id that cannot be one is looked up as well: the time must not tell it from an unknown one.
    const tenant = await deps.store.tenants.byId(id.success ? id.data : '?');
    if (tenant === undefined || tenant.deletingAt !== null || tenant.expectedEntraTenant === null) {
      return noSuchLinkPage(basePathOf(deps.config.publicUrl));
    }
    return startConsent(tenant, { via: 'id' }, caller.cookies, deps);
  },
});
