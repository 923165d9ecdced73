import { confirmCandidate } from '../consent/confirm.ts';
import { replyTo } from '../consent/reply-to.ts';
import { defineRoute } from '../route.ts';
import { confirmForm, OUTCOME_ANSWERS } from '../schemas/pages.ts';

export const postConsentConfirm = defineRoute({
  method: 'post',
  path: '/consent/confirm',
  tag: 'Pages',
  summary: 'Connects the directory that was shown',
  access: 'open',
  page: true,
  body: confirmForm,
  form: true,
  answers: {
    303: { description: 'To what happens next', headers: { Location: 'Our page' } },
    ...OUTCOME_ANSWERS,
  },
  problems: [],
  async handle({ body, caller }, deps) {
    return replyTo(await confirmCandidate(body, caller, deps), deps);
  },
});
