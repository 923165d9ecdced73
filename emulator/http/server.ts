import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { HttpRequest, Reply } from './message.ts';

const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** What a handler may do besides replying: cut the connection, as a failing network does. */
export type Outcome = Reply | 'reset';
export type Handler = (request: HttpRequest) => Promise<Outcome>;

/** Listens on loopback and hands each parsed request to the handler. */
export async function listen(
  handler: Handler,
  port: number,
  host: string,
  tls?: { readonly key: string; readonly cert: string },
): Promise<{ readonly server: Server; readonly port: number }> {
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    void serve(handler, incoming, response, tls === undefined ? 'http' : 'https');
  };
  const server = tls === undefined ? createHttpServer(onRequest) : createHttpsServer(tls, onRequest);
  // A client's keep-alive connection must not be closed by us while it sends its next request.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
  const address: AddressInfo | string | null = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : port };
}

export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  handler: Handler,
  incoming: IncomingMessage,
  response: ServerResponse,
  scheme: string,
): Promise<void> {
  try {
    const outcome = await handler(await parse(incoming, scheme));
    if (outcome === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    await write(response, outcome, incoming.method === 'HEAD');
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(
      `The emulator itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
}

async function parse(incoming: IncomingMessage, scheme: string): Promise<HttpRequest> {
  const origin = `${scheme}://${incoming.headers.host ?? 'localhost'}`;
  const target = incoming.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const search = mark === -1 ? '' : target.slice(mark);
  return {
    method: incoming.method ?? 'GET',
    path,
    search,
    query: new URLSearchParams(search),
    headers: incoming.headers,
    body: await readBody(incoming),
    origin,
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) throw new Error('request body too large for the emulator');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function write(response: ServerResponse, reply: Reply, headOnly: boolean): Promise<void> {
  const { body } = reply;
  if (typeof body === 'string') {
    response.writeHead(reply.status, { ...reply.headers, ...lengthOf(reply, body) });
    response.end(headOnly ? undefined : body);
    return;
  }
  response.writeHead(reply.status, reply.headers);
  for await (const part of body) {
    if (response.destroyed) return;
    if (!response.write(part)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
  }
  response.end();
}

/** A fault may have set a length that does not fit, in order to cut the body short. */
function lengthOf(reply: Reply, body: string): Record<string, string> {
  return 'Content-Length' in reply.headers ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
}
