import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Readiness {
  readonly ok: boolean;
  /** A sentence per part: `ok`, or what is missing and where. */
  readonly checks: Readonly<Record<string, string>>;
}

/** What the process knows of its parts while it comes up and runs; `/readyz` tells it as it is. */
export class ReadinessBoard {
  readonly #checks = new Map<string, () => Promise<string> | string>();

  set(part: string, check: string | (() => Promise<string> | string)): void {
    this.#checks.set(part, typeof check === 'string' ? () => check : check);
  }

  async read(): Promise<Readiness> {
    const entries = await Promise.all(
      [...this.#checks].map(async ([part, check]) => {
        try {
          return [part, await check()] as const;
        } catch (error) {
          return [part, error instanceof Error ? error.message : String(error)] as const;
        }
      }),
    );
    return {
      ok: entries.length > 0 && entries.every(([, check]) => check === 'ok'),
      checks: Object.fromEntries(entries),
    };
  }
}

export interface HttpServer {
  readonly server: Server;
  readonly port: number;
  /** Puts the real application in the place of the one that only tells health. */
  serve(application: RequestListener): void;
  close(): Promise<void>;
}

/** Listens from the first moment, so that an orchestrator can ask for health while database or Temporal are still awaited. */
export async function listen(port: number, board: ReadinessBoard): Promise<HttpServer> {
  let application: RequestListener = healthOnly(board);
  const server = createServer((request, response) => application(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve());
  });
  return {
    server,
    port: (server.address() as AddressInfo).port,
    serve(next) {
      application = next;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // Long polls and streams end with the process, not half a minute later.
      setTimeout(() => server.closeAllConnections(), 2_000).unref();
      await closed;
    },
  };
}

function healthOnly(board: ReadinessBoard): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?')[0];
    const reply = (status: number, type: string, body: unknown) => {
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    if (path === '/healthz') return reply(200, 'application/json', { status: 'ok' });
    board.read().then(
      ({ ok, checks }) => {
        if (path === '/readyz')
          return reply(ok ? 200 : 503, 'application/json', { status: ok ? 'ready' : 'not ready', checks });
        return reply(503, 'application/problem+json', {
          type: '/problems/starting',
          title: 'Still starting',
          status: 503,
          detail: 'Database or Temporal are not reached yet; /readyz says which.',
        });
      },
      () => reply(503, 'application/json', { status: 'not ready' }),
    );
  };
}
