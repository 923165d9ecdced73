import * as z from 'zod';
import { showCandidate } from '../consent/confirm.ts';
import { replyTo } from '../consent/reply-to.ts';
import { defineRoute } from '../route.ts';
import { OUTCOME_ANSWERS, parameter, shown } from '../schemas/pages.ts';

export const getConsentConfirm = defineRoute({
  method: 'get',
  path: '/consent/confirm',
  tag: 'Pages',
  summary: 'Asks whether this directory is to be connected to this environment',
  access: 'open',
  page: true,
  query: z.looseObject({ state: parameter }),
  answers: { 200: shown('the directory, the environment, and two forms'), ...OUTCOME_ANSWERS },
  problems: [],
  async handle({ query, caller }, deps) {
    return replyTo(await showCandidate(query.state, caller.cookies, deps), deps);
  },
});
