import * as z from 'zod';
import type { Metrics } from '../metrics.ts';
import { text } from '../reply.ts';
import { defineRoute, type Route } from '../route.ts';

export const getMetrics = (metrics: Pick<Metrics, 'contentType' | 'render'>): Route =>
  defineRoute({
    method: 'get',
    path: '/metrics',
    tag: 'Operation',
    summary: 'Metrics for Prometheus',
    access: 'open',
    answers: { 200: { description: 'Metrics', type: 'text/plain', schema: z.string() } },
    problems: [],
    async handle() {
      return text(200, metrics.contentType, await metrics.render());
    },
  });
