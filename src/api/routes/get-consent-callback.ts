import * as z from 'zod';
import { finishConsent } from '../consent/callback.ts';
import type { Outcome } from '../consent/decide.ts';
import { replyTo } from '../consent/reply-to.ts';
import type { Metrics } from '../metrics.ts';
import { defineRoute, type Route } from '../route.ts';
import { OUTCOME_ANSWERS, parameter, shown } from '../schemas/pages.ts';

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
      200: shown('the consent has arrived'),
      302: { description: 'To Microsoft, for the proof', headers: { Location: "Microsoft's sign-in page" } },
      303: {
        description: 'To the question whether it is right, or to what happens next',
        headers: { Location: 'Ours' },
      },
      ...OUTCOME_ANSWERS,
    },
    problems: [],
    async handle({ query, caller }, deps) {
      const result = await finishConsent(query, caller, deps);
      if (result.is === 'outcome' && isMicrosofts(result.outcome)) metrics.endedByMicrosoft(result.outcome.code);
      return replyTo(result, deps);
    },
  });

const isMicrosofts = (
  outcome: Outcome,
): outcome is Extract<Outcome, { kind: 'microsoft_error' | 'needs_administrator' }> =>
  outcome.kind === 'microsoft_error' || outcome.kind === 'needs_administrator';
