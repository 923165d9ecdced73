import * as z from 'zod';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';

const readiness = z
  .strictObject({ ok: z.boolean(), checks: z.record(z.string(), z.string()) })
  .meta({ id: 'Readiness' });

export const getReadyz = defineRoute({
  method: 'get',
  path: '/readyz',
  tag: 'Operation',
  summary: 'What the process needs can be reached',
  access: 'open',
  answers: {
    200: { description: 'Ready', schema: readiness },
    503: { description: 'Not ready, and why', schema: readiness },
  },
  problems: [],
  async handle(_input, deps) {
    const { ok, checks } = await deps.ready();
    return json(ok ? 200 : 503, { ok, checks: { ...checks } });
  },
});
