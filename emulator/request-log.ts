/** One request, without anything secret: the query's tokens, headers and bodies are not kept. */
export interface LoggedRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly tenant: string | null;
  readonly route: string;
  readonly status: number | 'reset';
  readonly requestId: string | null;
  readonly durationMs: number;
  readonly fault: string | null;
}

const KEPT = 500;

/** What was asked of the emulator; tests count on it, so it counts everything and keeps the last few. */
export class RequestLog {
  #counts = new Map<string, Map<string, number>>();
  #last: LoggedRequest[] = [];
  #total = 0;

  add(request: LoggedRequest): void {
    const tenant = request.tenant ?? '-';
    const routes = this.#counts.get(tenant) ?? new Map<string, number>();
    const key = `${request.method} ${request.route} ${request.status}`;
    routes.set(key, (routes.get(key) ?? 0) + 1);
    this.#counts.set(tenant, routes);
    this.#last.push(request);
    if (this.#last.length > KEPT) this.#last = this.#last.slice(-KEPT / 2);
    this.#total += 1;
  }

  summary(limit: number): unknown {
    return {
      total: this.#total,
      counts: Object.fromEntries([...this.#counts].map(([tenant, routes]) => [tenant, Object.fromEntries(routes)])),
      last: this.#last.slice(-limit),
    };
  }

  clear(): void {
    this.#counts = new Map();
    this.#last = [];
    this.#total = 0;
  }
}

/** The path with ids replaced, so that counts gather by route. */
export function routeOf(path: string): string {
  return path
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '{id}')
    .replace(/\/delta(\(\))?$/i, '/delta');
}
