import * as z from 'zod';
import { defineRoute } from '../route.ts';
import { SIGN_IN_ANSWERS, signInPath, targetParameters } from '../schemas/sign-in-pages.ts';
import { signOut } from '../sign-in/sign-out.ts';
import { withSignIn } from '../sign-in/with-sign-in.ts';

export const getSignOut = defineRoute({
  method: 'get',
  path: '/signin/{id}/sign-out',
  tag: 'Sign-in',
  summary: "End the browser's session at Microsoft, and come back",
  description: "The product ends its own session before; `return_to` is held against the tenant's list, as at sign-in.",
  access: 'limited',
  page: true,
  params: signInPath,
  query: z.looseObject(targetParameters),
  answers: {
    302: { description: 'To Microsoft', headers: { Location: "Microsoft's sign-out page" } },
    ...SIGN_IN_ANSWERS,
  },
  problems: [],
  async handle({ params, query }, deps) {
    return withSignIn(params.id, query.return_to, deps, (target) => signOut(target, deps));
  },
});
