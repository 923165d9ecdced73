import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Response } from 'express';
import { toDocument, statusOf, type Problem, type ProblemType } from './problem-document.ts';

/** What a handler answers, as a value: nothing is written before it is whole, but for lines. */
export type Reply<T> =
  | { readonly is: 'json'; readonly status: number; readonly body: T; readonly headers: Headers }
  | {
      readonly is: 'text';
      readonly status: number;
      readonly text: string;
      readonly headers: Headers;
      /** The one origin beside ours whose images the text may show. */
      readonly imagesFrom?: string | undefined;
    }
  | { readonly is: 'lines'; readonly rows: AsyncIterable<readonly unknown[]>; readonly headers: Headers }
  | { readonly is: 'redirect'; readonly status: 302 | 303; readonly location: string; readonly headers: Headers }
  | { readonly is: 'problem'; readonly problem: Problem };

type Headers = Readonly<Record<string, string>>;

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const LINES_TYPE = 'application/x-ndjson';
export const PROBLEM_TYPE = 'application/problem+json';

export const json = <T>(status: number, body: T, headers: Headers = {}): Reply<T> => ({
  is: 'json',
  status,
  body,
  headers,
});

export const text = (
  status: number,
  contentType: string,
  text: string,
  headers: Headers = {},
  imagesFrom?: string,
): Reply<never> => ({
  is: 'text',
  status,
  text,
  headers: { ...headers, 'Content-Type': contentType },
  imagesFrom,
});

export const redirect = (status: 302 | 303, location: string, headers: Headers = {}): Reply<never> => ({
  is: 'redirect',
  status,
  location,
  headers,
});

export const problem = (
  type: ProblemType,
  detail?: string,
  more: Omit<Problem, 'type' | 'detail'> = {},
): Reply<never> => ({
  is: 'problem',
  problem: { type, detail, ...more },
});

export function statusOfReply(reply: Reply<unknown>): number {
  if (reply.is === 'problem') return statusOf(reply.problem.type);
  return reply.is === 'lines' ? 200 : reply.status;
}

export function sendProblem(res: Response, problem: Problem, requestId: string): void {
  const body = JSON.stringify(toDocument(problem, requestId));
  res
    .status(statusOf(problem.type))
    .set(problem.headers ?? {})
    .set('Content-Type', PROBLEM_TYPE)
    .end(body);
}

/** Writes the reply. Rejects where lines break off: the connection is then destroyed, never ended as if all were there. */
export async function send(res: Response, reply: Reply<unknown>, requestId: string): Promise<void> {
  switch (reply.is) {
    case 'json':
      res.status(reply.status).set(reply.headers).set('Content-Type', JSON_TYPE).end(JSON.stringify(reply.body));
      return;
    case 'text':
      if (reply.imagesFrom !== undefined) allowImages(res, reply.imagesFrom);
      res.status(reply.status).set(reply.headers).end(reply.text);
      return;
    case 'redirect':
      res.status(reply.status).set(reply.headers).set('Location', reply.location).end();
      return;
    case 'problem':
      sendProblem(res, reply.problem, requestId);
      return;
    case 'lines':
      await sendLines(res, reply.rows, reply.headers);
  }
}

/** The policy that every answer carries, and one rule more. */
function allowImages(res: Response, origin: string): void {
  res.set('Content-Security-Policy', `${String(res.getHeader('Content-Security-Policy'))};img-src ${origin}`);
}

async function sendLines(res: Response, rows: AsyncIterable<readonly unknown[]>, headers: Headers): Promise<void> {
  const batches = rows[Symbol.asyncIterator]();
  // The first batch is fetched before the status is sent: a database that is down is a problem document, not a broken stream.
  const first = await batches.next();
  res.status(200).set(headers).set('Content-Type', LINES_TYPE);
  if (res.req.method === 'HEAD') {
    await batches.return?.();
    res.end();
    return;
  }
  async function* lines(): AsyncGenerator<string> {
    try {
      for (let batch = first; batch.done !== true; batch = await batches.next()) {
        if (batch.value.length > 0) yield batch.value.map((row) => `${JSON.stringify(row)}\n`).join('');
      }
    } finally {
      await batches.return?.();
    }
  }
  // `pipeline` waits while the client does not read, and destroys the response where a batch fails.
  await pipeline(Readable.from(lines(), { highWaterMark: 1 }), res);
}
