import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import type { ApiDeps } from './deps.ts';
import { holderOf } from './keys/holder.ts';
import type { Problem } from './problem-document.ts';
import { problemPage } from './pages/problem-page.tsx';
import { LINES_TYPE, send, sendProblem, statusOfReply, type Reply } from './reply.ts';
import type { Method, RawInput, Route } from './route.ts';
import { Trail, type Concern } from './trail.ts';

export const BODY_LIMIT = '100kb';

/** Mounts the routes, path by path, so that a method that a path does not know is told from a path that is not there. */
export function mountRoutes(
  app: Express,
  routes: readonly Route[],
  deps: ApiDeps,
  guards: Readonly<Record<Route['access'], (route: Route) => RequestHandler>>,
): void {
  for (const [path, group] of groupByPath(routes)) {
    const mounted = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const route of group) {
      mounted[route.method](
        named(route),
        guards[route.access](route),
        ...(route.body === undefined ? [] : [route.form ? FORM : readJson(route.bodyLimit)]),
        runRoute(route, deps),
      );
    }
    mounted.all(refuseMethod(group.map((route) => route.method)));
  }
}

function groupByPath(routes: readonly Route[]): Map<string, Route[]> {
  const groups = new Map<string, Route[]>();
  for (const route of routes) groups.set(route.path, [...(groups.get(route.path) ?? []), route]);
  return groups;
}

/** The log and the metrics speak of routes by their template: the path itself holds names and tokens. */
function named(route: Route): RequestHandler {
  return (_req, res, next) => {
    res.locals['route'] = route.path;
    res.locals['page'] = route.page === true;
    res.set('Cache-Control', 'no-store');
    next();
  };
}

/** Reads a body of JSON; where there is none at all, validation says what is missing. */
function readJson(limit: string = BODY_LIMIT): RequestHandler {
  const parse = express.json({ limit, strict: false });
  return (req, res, next) => {
    const type = req.headers['content-length'] === '0' ? null : req.is('application/json');
    if (type === null) next();
    else if (type === false) answerProblem(res, { type: 'unsupported-media-type' });
    else parse(req, res, next);
  };
}

/** Reads what a plain HTML form sends; anything else is no body at all, and validation says so. */
const FORM = express.urlencoded({ limit: BODY_LIMIT, extended: false });

function refuseMethod(methods: readonly Method[]): RequestHandler {
  const allow = methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ');
  return (_req, res) => answerProblem(res, { type: 'method-not-allowed', headers: { Allow: allow } });
}

function runRoute(route: Route, deps: ApiDeps): RequestHandler {
  return async (req: Request, res: Response, _next: NextFunction) => {
    const gone = new AbortController();
    const key = holderOf(req);
    const trail = new Trail(deps.store.audit, deps.log, {
      actor: key === undefined ? 'visitor' : 'key',
      keyId: key?.id ?? null,
      action: `${req.method} ${route.path}`,
      address: req.socket.remoteAddress ?? null,
      requestId: requestIdOf(res),
    });
    res.once('close', () => gone.abort());
    const caller = {
      wantsLines: req.accepts(['application/json', LINES_TYPE]) === LINES_TYPE,
      cookies: req.headers.cookie,
      url: req.originalUrl,
      gone: gone.signal,
      key,
      concerns: (about: Concern) => trail.concerns(about),
    };
    const raw = { params: req.params, query: req.query, body: req.body as unknown, caller };
    const reply = await runOnTrail(route, raw, deps, trail);
    if (reply.is === 'problem') answerProblem(res, reply.problem);
    else await send(res, reply, requestIdOf(res));
  };
}

async function runOnTrail(route: Route, raw: RawInput, deps: ApiDeps, trail: Trail): Promise<Reply<unknown>> {
  try {
    const reply = await route.run(raw, deps);
    await trail.end(statusOfReply(reply));
    return reply;
  } catch (error) {
    await trail.end(500);
    throw error;
  }
}

export const requestIdOf = (res: Response): string => String(res.locals['requestId']);

/** The one way out for every failure: a page where a person is reading, else a problem document. */
export function answerProblem(res: Response, problem: Problem): void {
  if (res.locals['page'] === true)
    void send(res, problemPage(problem, String(res.app.locals['base'])), requestIdOf(res));
  else sendProblem(res, problem, requestIdOf(res));
}
