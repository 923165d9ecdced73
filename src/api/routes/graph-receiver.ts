import * as z from 'zod';
import type { Metrics } from '../metrics.ts';
import { receive } from '../notifications/receive.ts';
import { problem, text } from '../reply.ts';
import { defineRoute, type Route } from '../route.ts';

const PLAIN = 'text/plain; charset=utf-8';

const batch = z
  .looseObject({ value: z.array(z.unknown()).max(10_000) })
  .optional()
  .meta({ description: "Microsoft's own, of one directory or of several" });

const SUMMARY = {
  notifications: 'Microsoft tells of changes',
  lifecycle: 'Microsoft tells what becomes of its subscriptions',
} as const;

/**
 * Where Microsoft Graph reaches us. Open to everyone, since Graph brings no credential: what proves a notification is the
 * secret in it. What proves nothing is answered in the same way, so that nobody learns which subscriptions there are.
 */
export const graphReceiver = (metrics: Pick<Metrics, 'notified'>, kind: keyof typeof SUMMARY): Route =>
  defineRoute({
    method: 'post',
    path: `/graph/${kind}`,
    tag: 'Microsoft',
    summary: SUMMARY[kind],
    description:
      'With `validationToken`: gives it back as plain text. Else takes a batch, commits it, and answers 202.',
    access: 'open',
    query: z.looseObject({ validationToken: z.string().max(8192).optional() }),
    body: batch,
    bodyLimit: '4mb',
    answers: {
      200: { description: 'The token, decoded', type: 'text/plain', schema: z.string() },
      202: { description: 'Taken, or of no meaning to us', type: 'text/plain', schema: z.string() },
    },
    problems: [],
    async handle({ query, body }, deps) {
      // Plain text, `nosniff` and a policy without scripts: what stands in the token is shown to nobody as a page.
      if (query.validationToken !== undefined) return text(200, PLAIN, query.validationToken);
      if (body === undefined) return problem('invalid-request', 'There is neither a validationToken nor a body.');
      const { accepted, ignored } = await receive(body.value, kind, deps);
      if (accepted > 0) metrics.notified('accepted', accepted);
      if (ignored > 0) metrics.notified('ignored', ignored);
      return text(202, PLAIN, '');
    },
  });
