import * as z from 'zod';
import { mayChooseGroups, readGroups } from '../consent/groups.ts';
import { startConsent } from '../consent/start.ts';
import { withLink } from '../consent/with-link.ts';
import { connectPage } from '../pages/connect-page.tsx';
import { defineRoute } from '../route.ts';
import { LINK_ANSWERS, linkPath, shown } from '../schemas/pages.ts';

export const getConnectStart = defineRoute({
  method: 'get',
  path: '/connect/{token}/start',
  tag: 'Pages',
  summary: 'Go to Microsoft for consent',
  access: 'open',
  page: true,
  params: linkPath,
  query: z.looseObject({
    groupsToSync: z
      .unknown()
      .optional()
      .meta({ description: 'Ids or names of groups as one line of CSV, where the product has named none' }),
  }),
  answers: {
    302: { description: 'To Microsoft', headers: { Location: "Microsoft's consent page" } },
    400: shown('the groups cannot be read'),
    ...LINK_ANSWERS,
  },
  problems: [],
  async handle({ params, query, caller }, deps) {
    return withLink(params.token, deps, (tenant, base) => {
      const link = { via: 'link', linkSerial: tenant.linkSerial } as const;
      if (!mayChooseGroups(tenant)) return startConsent(tenant, link, caller.cookies, deps);
      const chosen = readGroups(query.groupsToSync);
      if (!chosen.ok) return connectPage(tenant, params.token, base, chosen);
      return startConsent(tenant, { ...link, groups: [...chosen.groups] }, caller.cookies, deps);
    });
  },
});
