import { randomUUID } from 'node:crypto';
import { headerOf, jsonReply, type HttpRequest, type Reply } from '../http/message.ts';
import type { Clock } from '../clock.ts';

interface CodeEntry {
  readonly error: string;
  readonly status: number;
  readonly suberror?: string;
  readonly text: (detail: Readonly<Record<string, string>>) => string;
}

/**
 * The AADSTS codes that this emulator can say, with the OAuth error each comes with (Entra's reference of error codes).
 * Descriptions are worded after the ones seen; nobody may depend on them.
 */
const CODES = {
  16000: {
    error: 'interaction_required',
    status: 400,
    text: () =>
      'Either multiple user identities are available for the current request or selected account is not supported for the scenario.',
  },
  50011: {
    error: 'invalid_request',
    status: 400,
    text: (d) =>
      `The redirect URI '${d['redirectUri']}' specified in the request does not match the redirect URIs configured for the application '${d['app']}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.`,
  },
  50020: {
    error: 'invalid_request',
    status: 400,
    text: (d) =>
      `User account '${d['account']}' from identity provider does not exist in tenant '${d['tenant']}' and cannot access the application '${d['app']}' in that tenant.`,
  },
  50034: {
    error: 'invalid_grant',
    status: 400,
    text: (d) => `The user account ${d['account']} does not exist in the ${d['tenant']} directory.`,
  },
  50013: {
    error: 'invalid_grant',
    status: 400,
    text: () => 'Assertion failed signature validation.',
  },
  50027: { error: 'invalid_client', status: 401, text: () => 'JWT token is invalid or malformed.' },
  50057: { error: 'invalid_grant', status: 400, text: () => 'The user account is disabled.' },
  50059: {
    error: 'invalid_request',
    status: 400,
    text: () => 'No tenant-identifying information found in either the request or implied by any provided credentials.',
  },
  50105: {
    error: 'interaction_required',
    status: 400,
    text: (d) =>
      `Your administrator has configured the application ${d['name']} ('${d['app']}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '${d['account']}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator.`,
  },
  50147: { error: 'invalid_grant', status: 400, text: () => 'Invalid size of Code_Challenge parameter.' },
  501481: {
    error: 'invalid_grant',
    status: 400,
    text: () => 'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
  },
  53003: {
    error: 'interaction_required',
    status: 400,
    suberror: 'message_only',
    text: () =>
      'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
  },
  54005: {
    error: 'invalid_grant',
    status: 400,
    text: () =>
      'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  },
  65001: {
    error: 'invalid_grant',
    status: 400,
    suberror: 'consent_required',
    text: (d) =>
      `The user or administrator has not consented to use the application with ID '${d['app']}' named '${d['name']}'. Send an interactive authorization request for this user and resource.`,
  },
  65004: {
    error: 'consent_required',
    status: 400,
    text: () => 'The resource owner or authorization server denied the request.',
  },
  70000: {
    error: 'invalid_grant',
    status: 400,
    text: () => 'Provided grant is invalid or malformed.',
  },
  700005: {
    error: 'invalid_grant',
    status: 400,
    text: () => 'Provided Authorization Code is intended to use against other tenant, thus rejected.',
  },
  70008: {
    error: 'invalid_grant',
    status: 400,
    text: () => 'The provided authorization code or refresh token has expired due to inactivity.',
  },
  700016: {
    error: 'unauthorized_client',
    status: 400,
    text: (d) =>
      `Application with identifier '${d['app']}' was not found in the directory '${d['tenant']}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  },
  7000112: {
    error: 'unauthorized_client',
    status: 400,
    text: (d) => `Application '${d['app']}'(${d['name']}) is disabled.`,
  },
  70021: {
    error: 'invalid_client',
    status: 401,
    text: () => 'No matching federated identity record found for presented assertion.',
  },
  70003: {
    error: 'unsupported_grant_type',
    status: 400,
    text: (d) => `The app requested an unsupported grant type '${d['value']}'.`,
  },
  70005: {
    error: 'unsupported_response_type',
    status: 400,
    text: (d) => `The app returned an unsupported response type '${d['value']}'.`,
  },
  7000215: {
    error: 'invalid_client',
    status: 401,
    text: (d) =>
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${d['app']}'.`,
  },
  7000218: {
    error: 'invalid_client',
    status: 401,
    text: () => "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
  7000222: {
    error: 'invalid_client',
    status: 401,
    text: (d) =>
      `The provided client secret keys for app '${d['app']}' are expired. Visit the Azure portal to create new keys for your app.`,
  },
  7000229: {
    error: 'invalid_client',
    status: 401,
    text: (d) => `The client application ${d['app']} is missing service principal in the tenant ${d['tenant']}.`,
  },
  700021: {
    error: 'invalid_client',
    status: 401,
    text: () => "Client assertion application identifier doesn't match 'client_id' parameter.",
  },
  700023: {
    error: 'invalid_client',
    status: 401,
    text: () => 'Client assertion audience claim does not match Realm issuer.',
  },
  700024: {
    error: 'invalid_client',
    status: 401,
    text: () => 'Client assertion is not within its valid time range.',
  },
  700027: {
    error: 'invalid_client',
    status: 401,
    text: () => 'The certificate with identifier used to sign the client assertion is not registered on application.',
  },
  500011: {
    error: 'invalid_resource',
    status: 400,
    text: (d) =>
      `The resource principal named ${d['resource']} was not found in the tenant named ${d['tenant']}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`,
  },
  1002012: {
    error: 'invalid_scope',
    status: 400,
    text: (d) =>
      `The provided value for scope ${d['scope']} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
  },
  70011: {
    error: 'invalid_scope',
    status: 400,
    text: (d) =>
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${d['scope']} is not valid.`,
  },
  90002: {
    error: 'invalid_request',
    status: 400,
    text: (d) =>
      `Tenant '${d['tenant']}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  },
  90094: {
    error: 'access_denied',
    status: 400,
    text: () => 'The grant requires admin permission.',
  },
  900144: {
    error: 'invalid_request',
    status: 400,
    text: (d) => `The request body must contain the following parameter: '${d['parameter']}'.`,
  },
  900561: {
    error: 'invalid_request',
    status: 400,
    text: (d) => `The endpoint only accepts POST requests. Received a ${d['method']} request.`,
  },
  9001023: {
    error: 'invalid_request',
    status: 400,
    text: () =>
      'The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.',
  },
} as const satisfies Readonly<Record<number, CodeEntry>>;

export type StsCode = keyof typeof CODES;

/** A refusal of the sign-in service, before it is known whether it becomes a body, a page or a redirect. */
export interface StsError {
  readonly code: StsCode;
  readonly error: string;
  readonly suberror: string | undefined;
  readonly status: number;
  readonly message: string;
}

export function stsError(code: StsCode, detail: Readonly<Record<string, string>> = {}): StsError {
  const entry: CodeEntry = CODES[code];
  const message = `AADSTS${code}: ${entry.text(detail)}`;
  return { code, error: entry.error, suberror: entry.suberror, status: entry.status, message };
}

/** The ids and the time that end every description. */
export interface Trailer {
  readonly traceId: string;
  readonly correlationId: string;
  readonly timestamp: string;
}

export function trailerOf(request: HttpRequest, clock: Clock, form?: URLSearchParams): Trailer {
  const sent =
    headerOf(request, 'client-request-id') ?? request.query.get('client-request-id') ?? form?.get('client-request-id');
  const timestamp = new Date(clock.now())
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d{3}Z$/, 'Z');
  return { traceId: randomUUID(), correlationId: sent ?? randomUUID(), timestamp };
}

/** The description with its trailer; the redirect separates its lines, the body has spaces (reference, 1.2 and 1.7). */
export function describe(error: StsError, trailer: Trailer, separator: ' ' | '\r\n'): string {
  return [
    error.message,
    `Trace ID: ${trailer.traceId}`,
    `Correlation ID: ${trailer.correlationId}`,
    `Timestamp: ${trailer.timestamp}`,
  ].join(separator);
}

/** The body of the token endpoint with all its fields. */
export function stsErrorReply(error: StsError, trailer: Trailer, origin: string): Reply {
  return jsonReply(
    error.status,
    {
      error: error.error,
      error_description: describe(error, trailer, ' '),
      error_codes: [error.code],
      timestamp: trailer.timestamp,
      trace_id: trailer.traceId,
      correlation_id: trailer.correlationId,
      error_uri: `${origin}/error?code=${error.code}`,
      ...(error.suberror === undefined ? {} : { suberror: error.suberror }),
    },
    stsHeaders(trailer),
  );
}

export function stsHeaders(trailer: Trailer): Record<string, string> {
  return {
    'Cache-Control': 'no-store, no-cache',
    Pragma: 'no-cache',
    'x-ms-request-id': trailer.traceId,
    'client-request-id': trailer.correlationId,
  };
}
