import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Problem } from './problem-document.ts';
import { BODY_LIMIT, answerProblem, requestIdOf } from './serve.ts';

/** What was thrown: by the body parser, by the router, or by us. */
export function errorHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, _req, res, _next) => {
    const problem = problemOf(error);
    if (problem.type === 'internal' || problem.type === 'unavailable') {
      // A client that went away while lines were written is no failure of ours.
      if (codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE') return;
      log.error({ err: error, requestId: requestIdOf(res), route: res.locals['route'] }, 'A request failed');
    }
    // Half an answer cannot be taken back: breaking the connection is how the client learns of it.
    if (res.headersSent) res.destroy();
    else answerProblem(res, problem);
  };
}

function problemOf(error: unknown): Problem {
  switch (fieldOf(error, 'type')) {
    case 'entity.parse.failed':
      return { type: 'invalid-json' };
    case 'entity.too.large':
      return { type: 'content-too-large', detail: `The limit is ${limitOf(error)}.` };
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return { type: 'unsupported-media-type' };
  }
  const status = fieldOf(error, 'status');
  if (error instanceof URIError || (typeof status === 'number' && status >= 400 && status < 500)) {
    return { type: 'invalid-request', detail: 'The request could not be read.' };
  }
  if (isOutage(error)) return { type: 'unavailable', headers: { 'Retry-After': '5' } };
  return { type: 'internal' };
}

/** Routes differ in what they read. */
function limitOf(error: unknown): string {
  const limit = fieldOf(error, 'limit');
  return typeof limit === 'number' ? `${Math.round(limit / 1024)}kb` : BODY_LIMIT;
}

const OUTAGES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH']);

/** The database is away: PostgreSQL's classes 08 and 57P (shutting down, starting up), its "too many", or the network's own words. */
function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return error instanceof AggregateError && error.errors.some((one) => isOutage(one));
  return OUTAGES.has(code) || /^(08...|57P..|53300)$/.test(code);
}

function codeOf(error: unknown): string | undefined {
  const code = fieldOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null && name in error ? Reflect.get(error, name) : undefined;
}
