import type { RequestHandler } from 'express';
import { rateLimit, type Options } from 'express-rate-limit';
import { answerProblem } from './serve.ts';

const WINDOW_MS = 60_000;
const PAGES_PER_WINDOW = 30;
const KEYS_PER_WINDOW = 300;
const CHECKS_PER_WINDOW = 5;

const byAddress = (limit: number, more: Partial<Options> = {}): RequestHandler =>
  rateLimit({
    windowMs: WINDOW_MS,
    limit,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    // The proxy's address is meant where there is one; the header is believed of nobody.
    validate: { xForwardedForHeader: false },
    handler: (_req, res) => answerProblem(res, { type: 'too-many-requests', headers: { 'Retry-After': '60' } }),
    ...more,
  });

/** Before pages that go by an id alone: ids must not be tried out one after the other. */
export const limitPages = (): RequestHandler =>
  // A whole office may sign in from one address: only what leads nowhere counts.
  byAddress(PAGES_PER_WINDOW, { skipSuccessfulRequests: true });

/** Before what asks Microsoft for whoever holds a set-up link: by link, since behind a proxy all customers have one address. */
export const limitChecks = (): RequestHandler =>
  byAddress(CHECKS_PER_WINDOW, { keyGenerator: (req) => String(req.params['token']) });

/** After a key that opens nothing, and there alone: whoever has a good one shares an address with others, but not their fate. */
export const refuseKeys = (): RequestHandler => byAddress(KEYS_PER_WINDOW, { standardHeaders: false });
