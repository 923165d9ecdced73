import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

const QUIET = new Set(['/healthz', '/readyz', '/metrics', '/assets/{file}']);

/** Names each request, then counts and logs it by its route's template: paths and queries hold names, tokens and codes. */
export function requestLog(log: Logger, metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    const requestId = randomUUID();
    res.locals['requestId'] = requestId;
    res.set('X-Request-Id', requestId);
    res.once('close', () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const route = typeof res.locals['route'] === 'string' ? res.locals['route'] : 'none';
      const line = {
        requestId,
        method: req.method,
        route,
        status: res.statusCode,
        ms: Math.round(seconds * 1000),
        ...(res.writableFinished ? {} : { broken: true }),
      };
      metrics.observe({ method: req.method, route, status: res.statusCode, seconds });
      log[QUIET.has(route) ? 'debug' : 'info'](line, 'request');
    });
    next();
  };
}
