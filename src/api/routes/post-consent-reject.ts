import { dropCandidate } from '../consent/confirm.ts';
import { replyTo } from '../consent/reply-to.ts';
import { defineRoute } from '../route.ts';
import { confirmForm, OUTCOME_ANSWERS, shown } from '../schemas/pages.ts';

export const postConsentReject = defineRoute({
  method: 'post',
  path: '/consent/reject',
  tag: 'Pages',
  summary: 'Drops the directory that was shown',
  access: 'open',
  page: true,
  body: confirmForm,
  form: true,
  answers: { 200: shown('nothing was connected'), ...OUTCOME_ANSWERS },
  problems: [],
  async handle({ body, caller }, deps) {
    return replyTo(await dropCandidate(body, caller, deps), deps);
  },
});
