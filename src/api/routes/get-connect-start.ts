import { startConsent } from '../consent/start.ts';
import { withLink } from '../consent/with-link.ts';
import { defineRoute } from '../route.ts';
import { LINK_ANSWERS, linkPath } from '../schemas/pages.ts';

export const getConnectStart = defineRoute({
  method: 'get',
  path: '/connect/{token}/start',
  tag: 'Pages',
  summary: 'Go to Microsoft for consent',
  access: 'open',
  page: true,
  params: linkPath,
  answers: { 302: { description: 'To Microsoft', headers: { Location: "Microsoft's consent page" } }, ...LINK_ANSWERS },
  problems: [],
  async handle({ params, caller }, deps) {
    return withLink(params.token, deps, (tenant) => startConsent(tenant, caller.cookies, deps));
  },
});
