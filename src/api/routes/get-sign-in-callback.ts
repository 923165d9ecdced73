import * as z from 'zod';
import { basePathOf } from '../base-path.ts';
import type { Metrics } from '../metrics.ts';
import { signInPage, signedOutPage } from '../pages/sign-in-page.tsx';
import { defineRoute, type Route } from '../route.ts';
import { html, parameter } from '../schemas/pages.ts';
import { finishSignIn } from '../sign-in/callback.ts';
import { afterSignOut } from '../sign-in/sign-out.ts';

const shown = (description: string) => ({ description: `A page: ${description}`, type: 'text/html', schema: html });

export const getSignInCallback = (metrics: Pick<Metrics, 'endedByMicrosoft'>): Route =>
  defineRoute({
    method: 'get',
    path: '/signin/callback',
    tag: 'Sign-in',
    summary: "Microsoft's answer to a sign-in or a sign-out",
    access: 'open',
    page: true,
    query: z.looseObject({
      state: parameter,
      code: parameter,
      error: parameter,
      error_subcode: parameter,
      error_description: parameter,
    }),
    answers: {
      200: shown('signed out, with nowhere to go on'),
      302: { description: 'Back to the product', headers: { Location: '`return_to`, after a sign-in with a code' } },
      400: shown('an answer that cannot be used'),
      403: shown('why the person may not come in'),
      409: shown('used already'),
      410: shown('it took too long'),
      503: shown('Microsoft cannot be reached'),
    },
    problems: [],
    async handle({ query, caller }, deps) {
      const base = basePathOf(deps.config.publicUrl);
      const { state, code, error } = query;
      // Nothing at all comes from a sign-out.
      if (state === undefined && code === undefined && error === undefined) {
        return (await afterSignOut(caller, deps)) ?? signedOutPage(base);
      }
      const result = await finishSignIn(query, caller, deps);
      if (result.is === 'reply') return result.reply;
      if (result.outcome.kind === 'microsoft_error') metrics.endedByMicrosoft(result.outcome.code);
      return signInPage(result.outcome, result.about, base, new Date());
    },
  });
