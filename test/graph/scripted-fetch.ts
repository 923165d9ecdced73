export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

export type Script = (request: SeenRequest) => Response | Promise<Response>;

/** Stands in for `fetch`: answers by the script, and remembers what was asked. */
export function scriptedFetch(script: Script): { readonly fetch: typeof fetch; readonly seen: SeenRequest[] } {
  const seen: SeenRequest[] = [];
  return {
    seen,
    fetch: async (input, init) => {
      const request: SeenRequest = {
        method: init?.method ?? 'GET',
        url: input instanceof Request ? input.url : input.toString(),
        headers: new Headers(init?.headers),
        body: init?.body instanceof URLSearchParams || typeof init?.body === 'string' ? init.body.toString() : '',
        signal: init?.signal ?? undefined,
      };
      seen.push(request);
      request.signal?.throwIfAborted();
      return script(request);
    },
  };
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, { status, headers });
}

/** A connection that breaks before an answer, as `fetch` tells it. */
export function reset(): never {
  throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
}

/** A body whose connection breaks half-way. */
export function brokenBody(start: string): Response {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(start));
    },
    pull(controller) {
      controller.error(new TypeError('terminated'));
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/json' } });
}

export const never = (signal: AbortSignal | undefined) =>
  new Promise<Response>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });
