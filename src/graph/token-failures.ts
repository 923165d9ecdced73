import { TOKEN_FAILURES, type TokenFailure } from '../domain/activities.ts';
import { aadstsEntry } from '../domain/catalogue/catalogue.ts';
import { cleanId } from './failures.ts';
import { isObject, parseJson, textOf } from './json.ts';
import { retryAfterMs } from './retry-after.ts';

export interface TokenRefusal {
  readonly kind: 'refused';
  readonly failure: TokenFailure;
  readonly aadsts?: number;
  /** Microsoft's trace id. */
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  /** For our log: what went wrong on our side, in words of ours. */
  readonly note?: string;
}

/** An answer of the token endpoint as it came over the wire; undefined where none came. */
export type TokenWire = { readonly status: number; readonly headers: Headers; readonly text: string } | undefined;

const FAILURES = Object.keys(TOKEN_FAILURES) as readonly TokenFailure[];

/** What the catalogue makes of a number; what is not in it is judged by the OAuth error alone. */
function failureOf(number: unknown): TokenFailure | undefined {
  const problem = typeof number === 'number' ? aadstsEntry(number)?.problem : undefined;
  return FAILURES.find((failure) => TOKEN_FAILURES[failure] === problem);
}

/** Safe defaults: none of them is taken for a revocation but the one that says so itself. */
const BY_ERROR: Readonly<Record<string, TokenFailure>> = {
  invalid_client: 'CredentialsRejected',
  consent_required: 'ConsentMissing',
  interaction_required: 'BlockedByPolicy',
  temporarily_unavailable: 'TokenEndpointUnavailable',
  server_error: 'TokenEndpointUnavailable',
};

/** Classifies what came over the wire: the SDK's own errors differ by its state and by version (10.2). */
export function classifyTokenWire(wire: TokenWire): TokenRefusal {
  if (wire === undefined) return { kind: 'refused', failure: 'TokenEndpointUnavailable' };
  const parsed = parseJson(wire.text);
  const body = isObject(parsed) ? parsed : undefined;
  const codes = Array.isArray(body?.['error_codes'])
    ? body['error_codes'].filter((code) => Number.isInteger(code))
    : [];
  const aadsts = codes.find((code): code is number => typeof code === 'number');
  const requestId = cleanId(textOf(body?.['trace_id'])) ?? cleanId(wire.headers.get('x-ms-request-id'));
  const wait = retryAfterMs(wire.headers);
  const failure = kindOf(wire.status, textOf(body?.['error']), textOf(body?.['suberror']), codes);
  return {
    kind: 'refused',
    failure,
    ...(aadsts === undefined ? {} : { aadsts }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(wait === undefined || failure !== 'TokenEndpointUnavailable' ? {} : { retryAfterMs: wait }),
  };
}

function kindOf(
  status: number,
  error: string | undefined,
  suberror: string | undefined,
  codes: readonly unknown[],
): TokenFailure {
  // A proxy's page, half a body, or a success that carried no token: nothing that Microsoft decided.
  if (error === undefined || status === 429 || status >= 500) return 'TokenEndpointUnavailable';
  const known = codes.map(failureOf).find((failure) => failure !== undefined);
  if (known !== undefined) return known;
  if (suberror === 'consent_required') return 'ConsentMissing';
  return (Object.hasOwn(BY_ERROR, error) ? BY_ERROR[error] : undefined) ?? 'TokenRefused';
}
