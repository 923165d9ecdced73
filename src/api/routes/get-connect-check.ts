import { withLink } from '../consent/with-link.ts';
import { diagnose, mayAsk } from '../findings.ts';
import { statusPage } from '../pages/status-page.tsx';
import { defineRoute } from '../route.ts';
import { html, LINK_ANSWERS, linkPath } from '../schemas/pages.ts';

export const getConnectCheck = defineRoute({
  method: 'get',
  path: '/connect/{token}/check',
  tag: 'Pages',
  summary: "How the connection stands, and what Microsoft says of it now that the customer's administrator can mend",
  access: 'asking',
  page: true,
  params: linkPath,
  answers: { 200: { description: 'A page', type: 'text/html', schema: html }, ...LINK_ANSWERS },
  problems: [],
  async handle({ params }, deps) {
    return withLink(params.token, deps, async (tenant, base) => {
      const findings = mayAsk(tenant) ? await diagnose(tenant, deps) : undefined;
      return statusPage(tenant, params.token, base, { follow: false, findings });
    });
  },
});
