import type { IncomingHttpHeaders } from 'node:http';

/** A request as the rooms of the emulator see it: parsed, with its body read. */
export interface HttpRequest {
  readonly method: string;
  /** The path as it came, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The query as it came, with its question mark. */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Scheme, host and port by which the caller reached us; links are built on it. */
  readonly origin: string;
}

/** An answer. A room returns it and never touches the socket, so that faults can damage it on its way out. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<string> | Iterable<string>;
}

export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

export function htmlReply(status: number, html: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'Content-Type': 'text/html; charset=utf-8', ...headers }, body: html };
}

export function redirectReply(location: string): Reply {
  return { status: 302, headers: { Location: location, 'Cache-Control': 'no-store' }, body: '' };
}

/** The first value of a header, whichever way Node holds it. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Path segments without the leading empty one, percent-decoded; an encoding that is broken is left as it came. */
export function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeSegment);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
