import { TOKEN_FAILURES, type TokenFailure } from '../domain/activities.ts';
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

/** The one table from AADSTS numbers (1.8). What is not in it is judged by the OAuth error alone. */
const NUMBERS: Readonly<Partial<Record<TokenFailure, readonly number[]>>> = {
  ConsentMissing: [700016, 7000229, 700011, 65001],
  ApplicationDisabled: [7000112, 70001],
  CredentialsRejected: [7000215, 7000222, 7000218, 70002, 700027, 700030, 700025, 700229, 50012, 50013, 50027, 500133],
  DirectoryNotFound: [90002, 90038, 900382, 900432, 1000104],
  BlockedByPolicy: [53000, 53001, 53002, 53003, 53004, 530032, 50131, 500212, 500213],
  // 50196 is a loop of ours that Microsoft cut: waiting is the remedy for it too.
  TokenEndpointUnavailable: [90055, 90033, 90006, 90012, 90024, 90090, 50033, 50000, 50196],
};

const FAILURES = Object.keys(TOKEN_FAILURES).filter((name): name is TokenFailure => name in NUMBERS);

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
  for (const failure of FAILURES) {
    if (NUMBERS[failure]?.some((number) => codes.includes(number))) return failure;
  }
  if (suberror === 'consent_required') return 'ConsentMissing';
  return (Object.hasOwn(BY_ERROR, error) ? BY_ERROR[error] : undefined) ?? 'TokenRefused';
}
