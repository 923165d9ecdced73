import { randomUUID } from 'node:crypto';
import {
  Client,
  ResponseType,
  type Context,
  type GraphRequest as ClientRequest,
  type Middleware,
} from '@microsoft/microsoft-graph-client';
import type { Load } from '../domain/throttle.ts';
import { eitherOf } from './either-of.ts';
import { failureOf, type Asked, type GraphFailure } from './failures.ts';
import { isObject, parseJson, type Json } from './json.ts';

/** Shorter than the heartbeat timeout of a slice, so that one hung request never looks like a lost worker. */
const REQUEST_TIMEOUT_MS = 15_000;

export interface GraphRequest {
  readonly accessToken: string;
  readonly asked: Asked;
  /** Counts and other advanced queries are answered only to who accepts that they lag behind (3.3). */
  readonly eventual?: true;
  /** `low` is dropped first where Graph is busy: what nobody waits for. `high`: a person waits (5.2). */
  readonly priority?: Priority;
  readonly signal?: AbortSignal;
}

/** What is not a read. Graph answers some of it only after it asked an address of ours. */
export interface GraphCall extends Pick<GraphRequest, 'accessToken' | 'signal'> {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly body?: Json;
  readonly timeoutMs?: number;
}

export type Priority = 'low' | 'high';

export type GraphReply = { readonly kind: 'ok'; readonly body: Json; readonly load: Load } | GraphFailure;

export interface GraphClient {
  /** GETs a path under /v1.0 or a link, once. Rejects only with the reason of an aborted signal. */
  get(pathOrLink: string, request: GraphRequest): Promise<GraphReply>;
  /** Sends to a path under /v1.0, once; an answer without a body is an empty object. */
  send(path: string, call: GraphCall): Promise<GraphReply>;
}

/**
 * Microsoft's client with a chain of our own. Its own would retry inside the call, cut long Retry-Afters short, drop the
 * token or the headers of an error in silence, and rewrite links (10.1); what is left is one request and its raw answer.
 */
export function createGraphClient(config: { readonly origin: string; readonly fetch: typeof fetch }): GraphClient {
  const client = Client.initWithMiddleware({
    baseUrl: `${config.origin}/`,
    defaultVersion: 'v1.0',
    middleware: [new Authorization(config.origin), new Transport(config.fetch)],
  });

  const exchange = async (
    pathOrLink: string,
    { accessToken, asked, eventual, priority, signal }: GraphRequest,
    call?: Pick<GraphCall, 'method' | 'body' | 'timeoutMs'>,
  ): Promise<GraphReply> => {
    const url = URL.canParse(pathOrLink) ? pathOrLink : `${config.origin}/v1.0${pathOrLink}`;
    // A stored link of another origin is from another configuration: as good as expired, and no business of our token.
    if (!isOfOrigin(url, config.origin)) return { kind: 'delta_expired' };
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(call?.timeoutMs ?? REQUEST_TIMEOUT_MS);
    const facts = new RequestFacts(url, {
      authorization: `Bearer ${accessToken}`,
      'client-request-id': randomUUID(),
      ...(eventual ? { ConsistencyLevel: 'eventual' } : {}),
      ...(priority === undefined ? {} : { 'x-ms-throttle-priority': priority }),
    });
    try {
      const request = client
        .api(url)
        .responseType(ResponseType.RAW)
        .option('signal', eitherOf(timeout, signal))
        .middlewareOptions([facts]);
      await (call === undefined ? request.get() : sendBy(request, call));
      const response = facts.answered();
      const text = await response.text().catch((error: unknown) => facts.broken(error));
      const body = parseJson(text);
      const load = loadOf(response.headers);
      if (response.ok && isObject(body)) return { kind: 'ok', body, load };
      // `/$count` answers with a bare number.
      if (response.ok && typeof body === 'number') return { kind: 'ok', body: { count: body }, load };
      if (response.ok && call !== undefined && text === '') return { kind: 'ok', body: {}, load };
      if (response.ok) return { kind: 'unavailable' };
      return failureOf({ status: response.status, headers: response.headers, body, empty: text === '' }, asked);
    } catch (error) {
      signal?.throwIfAborted();
      if (!facts.isBroken) throw error;
      return { kind: 'unavailable' };
    }
  };

  return {
    get: (pathOrLink, request) => exchange(pathOrLink, request),
    send: (path, { accessToken, signal, ...call }) =>
      exchange(path, { accessToken, asked: 'entity', ...(signal ? { signal } : {}) }, call),
  };
}

function sendBy(request: ClientRequest, { method, body = {} }: Pick<GraphCall, 'method' | 'body'>): Promise<unknown> {
  switch (method) {
    case 'POST':
      return request.post(body);
    case 'PATCH':
      return request.patch(body);
    case 'DELETE':
      return request.delete();
  }
}

export function isOfOrigin(link: string, origin: string): boolean {
  return URL.canParse(link) && new URL(link).origin === origin;
}

/** What an answer tells of Microsoft's limits; anything but plain numbers tells nothing. */
function loadOf(headers: Headers): Load {
  const numberIn = (name: string) => {
    const text = headers.get(name);
    return text !== null && /^\d{1,6}(\.\d+)?$/.test(text) ? Number(text) : undefined;
  };
  const units = numberIn('x-ms-resource-unit');
  const share = numberIn('x-ms-throttle-limit-percentage');
  return { ...(units === undefined ? {} : { units }), ...(share === undefined ? {} : { share }) };
}

/** What one request's middleware must know. The link stands here because the client puts its query in another order. */
class RequestFacts {
  readonly link: string;
  readonly headers: Readonly<Record<string, string>>;
  isBroken = false;
  response: Response | undefined;

  constructor(link: string, headers: Readonly<Record<string, string>>) {
    this.link = link;
    this.headers = headers;
  }

  answered(): Response {
    if (!this.response) throw new TypeError('A request ended without an answer or an error.');
    return this.response;
  }

  /** Marks a failure of the network, which the client would wrap beyond recognition. */
  broken(error: unknown): never {
    this.isBroken = true;
    throw error;
  }
}

function factsOf(context: Context): RequestFacts {
  const facts: unknown = context.middlewareControl?.getMiddlewareOptions(RequestFacts);
  if (!(facts instanceof RequestFacts)) throw new TypeError('A request reached the chain without its facts.');
  return facts;
}

/** Tokens go to the configured origin only; the client's own handler trusts a list of hosts, and no port (10.1). */
class Authorization implements Middleware {
  readonly #origin: string;
  #next: Middleware | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  setNext(next: Middleware): void {
    this.#next = next;
  }

  async execute(context: Context): Promise<void> {
    const { headers, link } = factsOf(context);
    if (!isOfOrigin(link, this.#origin)) throw new Error('A request outside the configured Graph origin was stopped.');
    context.options = {
      ...context.options,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(context.options?.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    };
    await this.#next?.execute(context);
  }
}

class Transport implements Middleware {
  readonly #fetch: typeof fetch;

  constructor(fetch: typeof globalThis.fetch) {
    this.#fetch = fetch;
  }

  async execute(context: Context): Promise<void> {
    const facts = factsOf(context);
    // A redirect is followed by nobody: it would carry the request to a place that was not checked.
    const init: RequestInit = { ...context.options, redirect: 'manual' };
    facts.response = await this.#fetch(facts.link, init).catch((error: unknown) => facts.broken(error));
    context.response = facts.response;
  }
}
