import { withLink } from '../consent/with-link.ts';
import { connectPage } from '../pages/connect-page.tsx';
import { defineRoute } from '../route.ts';
import { html, LINK_ANSWERS, linkPath } from '../schemas/pages.ts';

export const getConnect = defineRoute({
  method: 'get',
  path: '/connect/{token}',
  tag: 'Pages',
  summary: "The page for the customer's administrator",
  access: 'open',
  page: true,
  params: linkPath,
  answers: { 200: { description: 'A page', type: 'text/html', schema: html }, ...LINK_ANSWERS },
  problems: [],
  async handle({ params }, deps) {
    return withLink(params.token, deps, (tenant, base) => connectPage(tenant, params.token, base));
  },
});
