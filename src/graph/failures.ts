import { graphEntry } from '../domain/catalogue/catalogue.ts';
import type { ThrottleScope } from '../domain/throttle.ts';
import { isObject, textOf } from './json.ts';
import { retryAfterMs } from './retry-after.ts';

/** What an answer of Graph can mean. No caller looks at a status code. */
export type GraphFailure =
  /** Wait, as long as Microsoft said where it did. */
  | { readonly kind: 'throttled'; readonly retryAfterMs?: number; readonly scope?: ThrottleScope }
  /** 401: a new token may help, once. */
  | { readonly kind: 'token_rejected'; readonly requestId?: string }
  /** 403: the permission is missing, or not effective yet. */
  | { readonly kind: 'forbidden'; readonly code?: string; readonly requestId?: string }
  /** A delta or page link is dead: only a full round helps. */
  | { readonly kind: 'delta_expired' }
  | { readonly kind: 'not_found'; readonly requestId?: string }
  /** 5xx, a broken connection, a timeout, HTML or half a body in place of JSON. */
  | {
      readonly kind: 'unavailable';
      /** 503: it is Microsoft that has too much to do, and not something on the way to it that is away. */
      readonly busy?: true;
      readonly retryAfterMs?: number;
      readonly requestId?: string;
    }
  /** Graph understood and will not: a bug of ours, or a directory of a kind that has no such feed. */
  | { readonly kind: 'refused'; readonly code: string; readonly requestId?: string };

/** What was asked for; the same answer means different things. */
export type Asked =
  | 'entity'
  /** The first request of a full round. */
  | 'initial'
  /** The first request of a delta round. */
  | 'deltaLink'
  /** Any later page of a round. */
  | 'nextLink';

export interface GraphAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined where the body is something else. */
  readonly body: unknown;
  readonly empty: boolean;
}

/** The one place where an answer that is no success gets its meaning. */
export function failureOf(answer: GraphAnswer, asked: Asked): GraphFailure {
  const { status, headers } = answer;
  const error = errorOf(answer.body);
  const requestId = cleanId(headers.get('request-id')) ?? error.requestId;
  const quoted = requestId === undefined ? {} : { requestId };
  const wait = retryAfterMs(headers);
  const stated = wait === undefined ? {} : { retryAfterMs: wait };
  const busy = status === 503 ? { busy: true as const } : {};
  const unavailable: GraphFailure = { kind: 'unavailable', ...busy, ...stated, ...quoted };

  if (status === 429) return { kind: 'throttled', ...stated, ...scopeOf(headers) };
  if (asked !== 'entity' && meansExpired(status, error, asked)) return { kind: 'delta_expired' };
  if (status === 401) return { kind: 'token_rejected', ...quoted };
  // Graph always says why in JSON: a refusal in HTML comes from something between us and it.
  if (status < 400 || (answer.body === undefined && !answer.empty)) {
    return unavailable;
  }
  // 501 says that a property cannot be queried this way (4.2): no wait will change that.
  if (status === 408 || status === 423 || (status >= 500 && status !== 501)) {
    return unavailable;
  }
  if (status === 403) {
    const challenged = headers.get('www-authenticate')?.includes('insufficient_claims');
    if (challenged) return { kind: 'token_rejected', ...quoted };
    return { kind: 'forbidden', ...(error.code === undefined ? {} : { code: error.code }), ...quoted };
  }
  if (status === 404) return { kind: 'not_found', ...quoted };
  return { kind: 'refused', code: error.code ?? `Http${status}`, ...quoted };
}

/** `<Scope>/<Limit>/<ApplicationId>/<…>`, where it is told: the application's own limit concerns all tenants (5.2). */
function scopeOf(headers: Headers): { readonly scope?: ThrottleScope } {
  const [scope] = headers.get('x-ms-throttle-scope')?.toLowerCase().split('/') ?? [];
  return scope === 'application' ? { scope: 'application' } : {};
}

function meansExpired(status: number, error: WireError, asked: Exclude<Asked, 'entity'>): boolean {
  if (status === 410) return true;
  if (status < 400 || status >= 500) return false;
  if (error.codes.some((code) => graphEntry(code)?.restart)) return true;
  if (status !== 400 || asked === 'initial' || error.codes.length === 0) return false;
  // Broken tokens have no code of their own (4.5 e, f): a link that Graph made and calls malformed is dead, whatever it says.
  // One code is used for bad queries too, so it counts only where the query was a deltaLink (4.5 c).
  return asked === 'deltaLink' || !error.codes.includes('request_unsupportedquery');
}

interface WireError {
  /** As Graph spelled it, if it is fit to be quoted. */
  readonly code: string | undefined;
  /** All codes, outer to inner, in lower case: their case differs by workload (8.1). */
  readonly codes: readonly string[];
  readonly requestId: string | undefined;
}

function errorOf(body: unknown): WireError {
  const codes: string[] = [];
  const outer = isObject(body) ? body['error'] : undefined;
  let requestId: string | undefined;
  // Inner errors nest, under both spellings (8.1).
  let level: unknown = outer;
  for (let depth = 0; depth < 5 && isObject(level); depth++) {
    const code = textOf(level['code']);
    if (code) codes.push(code);
    requestId ??= cleanId(textOf(level['request-id']));
    level = level['innerError'] ?? level['innererror'];
  }
  return {
    code: codes.find((code) => /^[\w.]{1,64}$/.test(code)),
    codes: codes.map((code) => code.toLowerCase()),
    requestId,
  };
}

/** Ids are shown to people and kept in histories: only what looks like one passes. */
export function cleanId(text: string | null | undefined): string | undefined {
  return text && /^[\w-]{1,64}$/.test(text) ? text : undefined;
}
