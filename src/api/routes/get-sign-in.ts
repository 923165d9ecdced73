import * as z from 'zod';
import { defineRoute } from '../route.ts';
import { SIGN_IN_ANSWERS, signInPath, targetParameters } from '../schemas/sign-in-pages.ts';
import { startSignIn } from '../sign-in/start.ts';
import { withSignIn } from '../sign-in/with-sign-in.ts';

export const getSignIn = defineRoute({
  method: 'get',
  path: '/signin/{id}',
  tag: 'Sign-in',
  summary: "Go to Microsoft to sign in with a work account of the environment's directory",
  description:
    "The browser comes back to `return_to` with `code`, and `state` as it was given. `return_to` has to be one of the tenant's `signIn.returnUrls`; whatever leads nowhere is answered alike.",
  access: 'limited',
  page: true,
  params: signInPath,
  query: z.looseObject({
    ...targetParameters,
    state: z
      .string()
      .max(1024)
      .optional()
      .meta({ description: "The product's own, handed back as it came: bind it to the browser's session" }),
    prompt: z
      .enum(['login', 'select_account'])
      .optional()
      .catch(undefined)
      .meta({ description: 'Ask for a password again, or for another account' }),
  }),
  answers: {
    302: { description: 'To Microsoft', headers: { Location: "Microsoft's sign-in page" } },
    ...SIGN_IN_ANSWERS,
  },
  problems: [],
  async handle({ params, query, caller }, deps) {
    const wish = { productState: query.state, prompt: query.prompt };
    return withSignIn(params.id, query.return_to, deps, (target) => startSignIn(target, wish, caller.cookies, deps));
  },
});
