import type { Fault } from './faults.ts';
import { GraphError } from './graph/graph-error.ts';
import type { GraphRoom } from './graph/graph-room.ts';
import { jsonReply, type HttpRequest, type Reply } from './http/message.ts';
import { trailerOf } from './login/sts-error.ts';
import type { World } from './world.ts';

type StatusFault = Extract<Fault, { kind: 'status' }>;

const CODES: Readonly<Record<number, readonly [string, string]>> = {
  400: ['BadRequest', 'Bad request.'],
  401: ['InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.'],
  403: ['Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'],
  404: [
    'Request_ResourceNotFound',
    'Resource does not exist or one of its queried reference-property objects are not present.',
  ],
  410: ['resyncRequired', 'Resync required.'],
  429: ['TooManyRequests', 'Too many requests'],
  500: ['InternalServerError', 'Internal server error.'],
  502: ['UnknownError', 'Bad gateway.'],
  503: ['ServiceNotAvailable', 'The service is temporarily unavailable.'],
  504: ['GatewayTimeout', 'The gateway timed out.'],
};

/** The answer that a fault puts in place of the true one, in the shape of the room that was asked. */
export function faultReply(
  world: World,
  graph: GraphRoom,
  fault: StatusFault,
  request: HttpRequest,
  isGraph: boolean,
): Reply {
  const [code, message] = CODES[fault.status] ?? ['UnknownError', 'An error was injected.'];
  const headers = { ...retryHeaders(world, fault), ...throttleHeaders(fault, request, isGraph), ...fault.headers };
  if (fault.body === 'empty') return { status: fault.status, headers, body: '' };
  if (fault.body === 'html') {
    // What a gateway in front of the service says, in its own form.
    const body = `<html><head><title>${fault.status}</title></head><body><h1>${message}</h1><hr>Our services aren't available right now</body></html>`;
    return { status: fault.status, headers: { 'Content-Type': 'text/html', ...headers }, body };
  }
  if (isGraph) {
    const error = new GraphError(fault.status, fault.code ?? code, fault.message ?? message, headers);
    return graph.refusal(error, graph.headersFor(request));
  }
  return loginFault(world, fault, headers, request);
}

function loginFault(
  world: World,
  fault: StatusFault,
  headers: Readonly<Record<string, string>>,
  request: HttpRequest,
): Reply {
  const trailer = trailerOf(request, world.clock);
  const number = Number(fault.code ?? (fault.status === 429 ? 90055 : 90033));
  const text = fault.message ?? 'A transient error has occurred. Please try again.';
  const body = {
    error: fault.status === 401 ? 'invalid_client' : 'temporarily_unavailable',
    error_description: `AADSTS${number}: ${text} Trace ID: ${trailer.traceId} Correlation ID: ${trailer.correlationId} Timestamp: ${trailer.timestamp}`,
    error_codes: [number],
    timestamp: trailer.timestamp,
    trace_id: trailer.traceId,
    correlation_id: trailer.correlationId,
    error_uri: `${request.origin}/error?code=${number}`,
  };
  return jsonReply(fault.status, body, headers);
}

function retryHeaders(world: World, fault: StatusFault): Record<string, string> {
  if (fault.retryAfter === undefined) return {};
  if (fault.retryAfter !== 'date') return { 'Retry-After': String(fault.retryAfter) };
  const at = new Date(world.clock.now() + (fault.retryAfterSeconds ?? 1) * 1000);
  return { 'Retry-After': at.toUTCString() };
}

/** Throttled answers of Graph say by which limit (reference, 5.2). */
function throttleHeaders(fault: StatusFault, request: HttpRequest, isGraph: boolean): Record<string, string> {
  if (!isGraph || fault.status !== 429) return {};
  const parts = /^Bearer [^.]+\.([^.]+)\./i.exec(request.headers['authorization'] ?? '')?.[1];
  const claims = parts === undefined ? '' : Buffer.from(parts, 'base64url').toString('utf8');
  const app = /"appid":"([^"]+)"/.exec(claims)?.[1] ?? '';
  const tenant = /"tid":"([^"]+)"/.exec(claims)?.[1] ?? '';
  return {
    'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${app}/${tenant}`,
    'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
  };
}
