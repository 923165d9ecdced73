import * as z from 'zod';
import { withLink } from '../consent/with-link.ts';
import { statusPage } from '../pages/status-page.tsx';
import { defineRoute } from '../route.ts';
import { html, LINK_ANSWERS, linkPath, parameter } from '../schemas/pages.ts';

export const getConnectStatus = defineRoute({
  method: 'get',
  path: '/connect/{token}/status',
  tag: 'Pages',
  summary: 'How the connection stands',
  access: 'open',
  page: true,
  params: linkPath,
  query: z.looseObject({ follow: parameter.meta({ description: '`true`: the page loads itself again' }) }),
  answers: { 200: { description: 'A page', type: 'text/html', schema: html }, ...LINK_ANSWERS },
  problems: [],
  async handle({ params, query }, deps) {
    return withLink(params.token, deps, (tenant, base) =>
      statusPage(tenant, params.token, base, { follow: query.follow === 'true' }),
    );
  },
});
