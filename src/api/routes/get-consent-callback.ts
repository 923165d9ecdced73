import * as z from 'zod';
import { basePathOf } from '../base-path.ts';
import { finishConsent } from '../consent/callback.ts';
import { setupUrlOf } from '../consent/setup-link.ts';
import type { Metrics } from '../metrics.ts';
import { outcomePage } from '../pages/outcome-page.tsx';
import { defineRoute, type Route } from '../route.ts';
import { html, parameter } from '../schemas/pages.ts';

const shown = (description: string) => ({ description: `A page: ${description}`, type: 'text/html', schema: html });

export const getConsentCallback = (metrics: Pick<Metrics, 'endedByMicrosoft'>): Route =>
  defineRoute({
    method: 'get',
    path: '/consent/callback',
    tag: 'Pages',
    summary: "Microsoft's answer, to the consent or to the proof of who gave it",
    access: 'open',
    page: true,
    query: z.looseObject({
      state: parameter,
      tenant: parameter,
      admin_consent: parameter,
      code: parameter,
      error: parameter,
      error_subcode: parameter,
      error_description: parameter,
    }),
    answers: {
      302: { description: 'To Microsoft, for the proof', headers: { Location: "Microsoft's sign-in page" } },
      303: { description: 'To the page that shows what happens next', headers: { Location: 'Our page' } },
      400: shown('an answer that cannot be used'),
      403: shown('declined, another browser, another directory, or not an administrator'),
      409: shown('used already, or the directory or the environment is connected otherwise'),
      410: shown('it took too long'),
      503: shown('Microsoft cannot be reached'),
    },
    problems: [],
    async handle({ query, caller }, deps) {
      const result = await finishConsent(query, caller, deps);
      if (result.is === 'reply') return result.reply;
      if (result.outcome.kind === 'microsoft_error') metrics.endedByMicrosoft(result.outcome.code);
      const retry = result.tenant === undefined ? undefined : setupUrlOf(result.tenant, deps, new Date());
      return outcomePage(result.outcome, basePathOf(deps.config.publicUrl), retry);
    },
  });
