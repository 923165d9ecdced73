import { defineRoute } from '../route.ts';
import { codeExchange, signedIn } from '../schemas/sign-in.ts';
import { exchange } from '../sign-in/exchange.ts';

export const postSignInExchange = defineRoute({
  method: 'post',
  path: '/v1/signin/exchange',
  tag: 'Sign-in',
  summary: 'Who signed in?',
  description:
    'Exchanges the code that came back with the browser, once and within a minute. The person and all their groups are told as the mirror has them now; whoever was disabled or deleted meanwhile is refused.',
  access: 'key',
  role: 'reader',
  ownTenantOnly: true,
  body: codeExchange,
  answers: { 200: { description: 'The person', schema: signedIn } },
  problems: ['invalid-sign-in-code', 'sign-in-refused'],
  async handle({ body, caller }, deps) {
    return exchange(body, caller.key?.tenant?.no, deps);
  },
});
