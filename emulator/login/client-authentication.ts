import { timingSafeEqual } from 'node:crypto';
import { headerOf, type HttpRequest } from '../http/message.ts';
import type { AppRegistration } from '../registrations.ts';
import type { World } from '../world.ts';
import { ASSERTION_TYPE, checkAssertion } from './client-assertion.ts';
import { stsError, type StsError } from './sts-error.ts';

/** Who a token request claims to come from, and what it offers as proof. */
export interface ClientCredentials {
  readonly clientId: string | undefined;
  readonly secret: string | undefined;
  readonly assertion: string | undefined;
}

/** Client id and secret stand in the body or, URL-encoded, in HTTP Basic; both are documented. */
export function readCredentials(request: HttpRequest, form: URLSearchParams): ClientCredentials {
  const basic = /^Basic\s+(\S+)$/i.exec(headerOf(request, 'authorization') ?? '')?.[1];
  const assertion =
    form.get('client_assertion_type') === ASSERTION_TYPE ? (form.get('client_assertion') ?? undefined) : undefined;
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const decode = (part: string): string => new URLSearchParams(`x=${part}`).get('x') ?? part;
    return { clientId: decode(text.slice(0, colon)), secret: decode(text.slice(colon + 1)), assertion };
  }
  return {
    clientId: form.get('client_id') ?? clientOfAssertion(assertion),
    secret: form.get('client_secret') ?? undefined,
    assertion,
  };
}

/** Undefined when the proof holds. */
export function checkCredentials(
  world: World,
  request: HttpRequest,
  registration: AppRegistration,
  credentials: ClientCredentials,
): StsError | undefined {
  const app = registration.clientId;
  const { secret } = credentials;
  if (secret === undefined || secret === '') {
    const { assertion } = credentials;
    return assertion === undefined ? stsError(7000218) : checkAssertion(world, request, registration, assertion);
  }
  const known = registration.secrets.find((candidate) => equal(candidate.value, secret));
  if (known === undefined) return stsError(7000215, { app });
  const expired = known.expiresAt !== null && known.expiresAt <= world.clock.now();
  return expired ? stsError(7000222, { app }) : undefined;
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** An assertion names its client in `sub`, so the id may be missing from the form. */
function clientOfAssertion(assertion: string | undefined): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(assertion?.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null && 'sub' in claims ? String(claims.sub) : undefined;
  } catch {
    return undefined;
  }
}
