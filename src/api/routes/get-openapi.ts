import * as z from 'zod';
import { json } from '../reply.ts';
import { defineRoute, type Route } from '../route.ts';

/** The document is made of all routes, this one included, so it can only be asked for later. */
export const getOpenapi = (document: () => Record<string, unknown>): Route =>
  defineRoute({
    method: 'get',
    path: '/openapi.json',
    tag: 'Operation',
    summary: 'This description',
    access: 'open',
    answers: { 200: { description: 'OpenAPI 3.1', schema: z.record(z.string(), z.unknown()) } },
    problems: [],
    async handle() {
      return json(200, document());
    },
  });
