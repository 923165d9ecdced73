import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly at: number;
  readonly path: string;
  readonly items: readonly Record<string, unknown>[];
}

/** An endpoint for change notifications, as a test wants it to behave. */
export class Receiver {
  readonly url: string;
  readonly received: Received[] = [];
  /** Tokens of validations, as they came to each path. */
  readonly validated: string[] = [];
  /** What to answer to a batch. */
  status = 202;
  /** How to answer a validation. */
  validate = (token: string, response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end(token);
  };
  readonly close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.close = close;
  }

  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => void receiver.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver: Receiver = new Receiver(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    return receiver;
  }

  get items(): readonly Record<string, unknown>[] {
    return this.received.flatMap(({ items }) => items);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const token = searchParams.get('validationToken');
    if (token !== null) {
      this.validated.push(pathname);
      this.validate(token, response);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { value: Record<string, unknown>[] };
    const { status } = this;
    this.received.push({ at: Date.now(), path: pathname, items: body.value });
    response.writeHead(status).end();
  }
}
