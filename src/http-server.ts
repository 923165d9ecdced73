import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Readiness } from './api/deps.ts';

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

/**
 * Longer than load balancers keep a connection that nobody uses, a minute mostly: whoever closes last must be us, or a request
 * meets a connection that we are closing and fails without reason.
 */
const KEEP_ALIVE_MS = 65_000;

export interface HttpServer {
  readonly server: Server;
  readonly port: number;
  /** Puts the real application in the place of the one that only tells health. */
  serve(application: RequestListener): void;
  close(): Promise<void>;
}

/** Listens from the first moment, so that an orchestrator can ask for health while database or Temporal are still awaited. */
export async function listen(port: number, board: ReadinessBoard, metrics: Registry): Promise<HttpServer> {
  let application: RequestListener = operationsOnly(board, metrics);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) =>
    application(request, response),
  );
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

/** What a process without the API answers, and one whose database is still awaited. */
function operationsOnly(board: ReadinessBoard, metrics: Registry): RequestListener {
  return (request, response) => {
    const reply = (status: number, type: string, body: string) => {
      response.writeHead(status, {
        'Content-Type': type,
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      });
      response.end(body);
    };
    const answer = async () => {
      switch (request.url?.split('?')[0]) {
        case '/healthz':
          return reply(200, 'application/json', JSON.stringify({ ok: true }));
        case '/readyz': {
          const readiness = await board.read();
          return reply(readiness.ok ? 200 : 503, 'application/json', JSON.stringify(readiness));
        }
        case '/metrics':
          return reply(200, metrics.contentType, await metrics.metrics());
        default:
          return reply(503, 'application/problem+json', JSON.stringify(NOT_HERE));
      }
    };
    answer().catch(() => reply(500, 'text/plain', 'The process cannot tell its state'));
  };
}

const NOT_HERE = {
  type: 'about:blank',
  title: 'Not served here, or not yet',
  status: 503,
  detail: 'This process has no API, or still waits for its database; /readyz says which.',
} as const;
