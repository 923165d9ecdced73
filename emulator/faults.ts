import { Random } from './random.ts';
import type { HttpRequest, Reply } from './http/message.ts';

/** What goes wrong. `status` replaces the answer; the others damage or delay the true one. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string | undefined;
      readonly message?: string | undefined;
      /** Seconds; `date` writes an HTTP date `retryAfterSeconds` ahead; without it no header is sent. */
      readonly retryAfter?: number | 'date' | undefined;
      readonly retryAfterSeconds?: number | undefined;
      readonly body?: 'json' | 'html' | 'empty' | undefined;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    }
  | { readonly kind: 'reset' }
  | { readonly kind: 'truncate'; readonly keep?: number | undefined }
  | { readonly kind: 'contentType'; readonly value?: string | undefined }
  | { readonly kind: 'latency'; readonly ms: number }
  /** A page that says 200 and holds nothing: the answer that empties the mirrors of the careless. */
  | { readonly kind: 'emptyResult' }
  | { readonly kind: 'sameLink' };

export interface FaultRule {
  readonly name?: string | undefined;
  readonly method?: string | undefined;
  /** A regular expression over the path, query not included. */
  readonly path?: string | undefined;
  readonly tenant?: string | undefined;
  /** How many requests it hits before it is used up; without it, no limit. */
  readonly times?: number | undefined;
  /** How many matching requests it lets pass first. */
  readonly skip?: number | undefined;
  readonly probability?: number | undefined;
  readonly seed?: number | undefined;
  readonly fault: Fault;
}

interface ActiveRule {
  readonly id: number;
  readonly rule: FaultRule;
  readonly path: RegExp | undefined;
  readonly random: Random;
  skip: number;
  left: number;
  hits: number;
}

/** The faults that are set at the moment, in the order in which they were set; the first that fits wins. */
export class FaultRules {
  #rules: ActiveRule[] = [];
  #nextId = 1;

  add(rule: FaultRule): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#rules.push({
      id,
      rule,
      path: rule.path === undefined ? undefined : new RegExp(rule.path, 'i'),
      random: new Random(rule.seed ?? id),
      skip: rule.skip ?? 0,
      left: rule.times ?? Number.POSITIVE_INFINITY,
      hits: 0,
    });
    return id;
  }

  remove(id: number): boolean {
    const before = this.#rules.length;
    this.#rules = this.#rules.filter((active) => active.id !== id);
    return this.#rules.length < before;
  }

  clear(): void {
    this.#rules = [];
  }

  list(): readonly unknown[] {
    return this.#rules.map(({ id, rule, left, hits }) => ({
      id,
      ...rule,
      left: Number.isFinite(left) ? left : null,
      hits,
    }));
  }

  /** The faults that strike this request: delays add up, of all others the first counts. */
  strike(request: HttpRequest, tenant: string | undefined): Fault[] {
    const struck: Fault[] = [];
    let decided = false;
    for (const active of this.#rules) {
      const { fault } = active.rule;
      if (decided && fault.kind !== 'latency') continue;
      if (!fits(active, request, tenant) || active.left <= 0) continue;
      if (active.skip > 0) {
        active.skip -= 1;
        continue;
      }
      if (!active.random.chance(active.rule.probability ?? 1)) continue;
      active.left -= 1;
      active.hits += 1;
      struck.push(fault);
      if (fault.kind !== 'latency') decided = true;
    }
    return struck;
  }
}

function fits(active: ActiveRule, request: HttpRequest, tenant: string | undefined): boolean {
  const { rule, path } = active;
  if (rule.method !== undefined && rule.method.toUpperCase() !== request.method) return false;
  if (path !== undefined && !path.test(request.path)) return false;
  return rule.tenant === undefined || rule.tenant.toLowerCase() === tenant;
}

/** Lets a fault damage the answer that was due. */
export function damage(fault: Fault, reply: Reply, request: HttpRequest): Reply {
  if (typeof reply.body !== 'string') return reply;
  switch (fault.kind) {
    case 'truncate': {
      const body = reply.body.slice(0, Math.floor(reply.body.length * (fault.keep ?? 0.5)));
      return { ...reply, body };
    }
    case 'contentType':
      return { ...reply, headers: { ...reply.headers, 'Content-Type': fault.value ?? 'text/html; charset=utf-8' } };
    case 'emptyResult':
      return { ...reply, body: edited(reply.body, (page) => ({ ...page, value: [] })) };
    case 'sameLink':
      // Paging that never ends: the next page is the one just read.
      return {
        ...reply,
        body: edited(reply.body, (page) => ({
          ...page,
          '@odata.deltaLink': undefined,
          '@odata.nextLink': request.origin + request.path + request.search,
        })),
      };
    default:
      return reply;
  }
}

type PageBody = Readonly<Record<string, unknown>>;

/** Changes a page of objects; anything else is left as it is. */
function edited(body: string, edit: (page: PageBody) => PageBody): string {
  try {
    const page: unknown = JSON.parse(body);
    return typeof page === 'object' && page !== null && 'value' in page ? JSON.stringify(edit({ ...page })) : body;
  } catch {
    return body;
  }
}
