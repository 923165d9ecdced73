import type * as z from 'zod';
import type { ApiDeps } from './deps.ts';
import { changes, isHidden, OF_A_TENANT } from './keys/allowed.ts';
import type { KeyHolder } from './keys/holder.ts';
import type { Fault, ProblemType } from './problem-document.ts';
import { problem, type Reply } from './reply.ts';
import type { Concern } from './trail.ts';

export type Method = 'get' | 'post' | 'patch' | 'delete';

/** One kind of answer of a route, as the OpenAPI document tells it. */
export interface AnswerSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless said otherwise. */
  readonly type?: string;
  /** One object of the answer as `application/x-ndjson`, where the route streams. */
  readonly lines?: z.ZodType;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What of the request a handler may see, beside its validated parts. */
export interface Caller {
  /** The client asked for `application/x-ndjson`. */
  readonly wantsLines: boolean;
  readonly cookies: string | undefined;
  /** Path and query as they came. */
  readonly url: string;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** On routes that need one. */
  readonly key: KeyHolder | undefined;
  /** Writes the call into the audit log before it does something, or says more of it; calls by a key begin by themselves. */
  readonly concerns: (about: Concern) => Promise<void>;
}

interface RouteInfo {
  readonly method: Method;
  /** With parameters in braces, as OpenAPI writes them. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `key`: an API key is needed. `limited`: open, but counted by address. `asking`: open, but counted by set-up link. */
  readonly access: 'key' | 'open' | 'limited' | 'asking';
  /** Of the key that is needed; unless said otherwise readers may GET, and administrators all. */
  readonly role?: KeyHolder['role'];
  /** Of a route that is of no one tenant: a key of one tenant is let in, and sees nothing but its own. */
  readonly ownTenantOnly?: true;
  /** Of a route of one tenant: it decides about more than that one, and a key of it is not enough. */
  readonly allTenantsOnly?: true;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The body is what a plain HTML form sends, not JSON. */
  readonly form?: true;
  /** The longest body that is read; `BODY_LIMIT` unless said otherwise. */
  readonly bodyLimit?: string;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  /** Those that every such route can give (401, 400, 500 …) need not be named. */
  readonly problems: readonly ProblemType[];
  /** A person reads the answers of this route in a browser: its errors are pages too. */
  readonly page?: boolean;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;
type Given<S> = S extends { readonly schema: infer Z extends z.ZodType } ? z.input<Z> : never;

interface RouteSpec<
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  B extends z.ZodType | undefined,
  A extends Readonly<Record<number, AnswerSpec>>,
> extends RouteInfo {
  readonly params?: Exclude<P, undefined>;
  readonly query?: Exclude<Q, undefined>;
  readonly body?: Exclude<B, undefined>;
  readonly answers: A;
  handle(
    input: { readonly params: Output<P>; readonly query: Output<Q>; readonly body: Output<B>; readonly caller: Caller },
    deps: ApiDeps,
  ): Promise<Reply<Given<A[keyof A]>>>;
}

/** The request's parts before anything is known of them. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly caller: Caller;
}

export interface Route extends RouteInfo {
  /** Validates all parts, tells every fault at once, or runs the handler. */
  run(raw: RawInput, deps: ApiDeps): Promise<Reply<unknown>>;
}

/** Declares a route: what stands here is what is validated, what is documented and what the handler may rely on. */
export function defineRoute<
  A extends Readonly<Record<number, AnswerSpec>>,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(spec: RouteSpec<P, Q, B, A>): Route {
  return {
    ...spec,
    async run(raw, deps) {
      const faults: Fault[] = [];
      const params = check(spec.params, raw.params, 'path', faults);
      const query = check(spec.query, raw.query, 'query', faults);
      const body = check(spec.body, raw.body, 'body', faults);
      if (faults.length > 0) return problem('invalid-request', undefined, { errors: faults });
      const tenant = tenantOf(spec.path, params);
      if (tenant !== undefined && isHidden(tenant, raw.caller.key)) return problem('tenant-not-found');
      if (spec.access === 'key' && changes(spec)) await raw.caller.concerns(tenant === undefined ? {} : { tenant });
      // Each part has passed the schema whose output type it is given here.
      const input = { params, query, body, caller: raw.caller } as Parameters<typeof spec.handle>[0];
      return spec.handle(input, deps);
    },
  };
}

function tenantOf(path: string, params: unknown): string | undefined {
  if (!path.startsWith(OF_A_TENANT) || typeof params !== 'object' || params === null) return undefined;
  return 'id' in params && typeof params.id === 'string' ? params.id : undefined;
}

function check(schema: z.ZodType | undefined, value: unknown, where: Fault['in'], faults: Fault[]): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      const detail = where === 'query' ? 'There is no such parameter.' : 'There is no such property.';
      for (const key of issue.keys) faults.push({ in: where, pointer: pointerTo([...issue.path, key]), detail });
    } else {
      faults.push({ in: where, pointer: pointerTo(issue.path), detail: issue.message });
    }
  }
  return undefined;
}

/** RFC 6901. */
function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
