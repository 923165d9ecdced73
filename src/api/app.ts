import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { basePathOf } from './base-path.ts';
import type { ApiDeps } from './deps.ts';
import { errorHandler } from './errors.ts';
import { requireKey } from './keys/require-key.ts';
import { limitChecks, limitPages, refuseKeys } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { requestLog } from './request-log.ts';
import { createRoutes } from './router.ts';
import { answerProblem, mountRoutes } from './serve.ts';

/** The whole HTTP face of the product. It listens nowhere by itself. */
export function createApi(deps: ApiDeps): Express {
  const { config, log, registry, store } = deps;
  const limited = limitPages();
  const asking = limitChecks();
  const metrics = createMetrics(store, registry, log);
  const app = express();
  app.locals['base'] = basePathOf(config.publicUrl);
  // X-Forwarded-* are believed of nobody: the public URL is configured.
  app.disable('trust proxy');
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestLog(log, metrics));
  app.use(securityHeaders(deps));
  mountRoutes(app, createRoutes(metrics, config.publicUrl), deps, {
    key: requireKey(deps, refuseKeys()),
    open: () => (_req, _res, next) => next(),
    limited: () => limited,
    asking: () => asking,
  });
  app.use((_req, res) => answerProblem(res, { type: 'not-found' }));
  app.use(errorHandler(log));
  return app;
}

function securityHeaders({ config, graph }: ApiDeps): RequestHandler {
  const redirectUri = `${config.publicUrl}/consent/callback`;
  // The form on the set-up page ends at Microsoft, and browsers hold redirects of forms to form-action as well.
  const microsoft = new URL(graph.adminConsentUrl({ redirectUri, state: 'none' })).origin;
  const https = config.publicUrl.startsWith('https:');
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        formAction: ["'self'", microsoft],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
  });
}
