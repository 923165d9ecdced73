import * as z from 'zod';
import { json } from '../reply.ts';
import { defineRoute } from '../route.ts';

export const getHealthz = defineRoute({
  method: 'get',
  path: '/healthz',
  tag: 'Operation',
  summary: 'The process is alive',
  access: 'open',
  answers: { 200: { description: 'Alive', schema: z.strictObject({ ok: z.boolean() }) } },
  problems: [],
  async handle() {
    return json(200, { ok: true });
  },
});
