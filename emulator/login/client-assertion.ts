import { constants, createPublicKey, verify, X509Certificate, createHash, type KeyObject } from 'node:crypto';
import type { HttpRequest } from '../http/message.ts';
import type { AppRegistration } from '../registrations.ts';
import type { World } from '../world.ts';
import { stsError, type StsError } from './sts-error.ts';

type JwtPart = Readonly<Record<string, unknown>>;

interface Assertion {
  readonly header: JwtPart;
  readonly claims: JwtPart;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Checks a client's signed proof: of a certificate of the registration (certificate credentials page), or of another
 * issuer that the registration trusts (workload identity federation). Undefined when it holds.
 */
export function checkAssertion(
  world: World,
  request: HttpRequest,
  registration: AppRegistration,
  text: string,
): StsError | undefined {
  const app = registration.clientId;
  const assertion = parseAssertion(text);
  if (assertion === undefined) return stsError(50027);
  const { header, claims } = assertion;
  const now = world.clock.now() / 1000;
  const tolerance = 300;
  const outOfTime = Number(claims['exp']) < now - tolerance || Number(claims['nbf'] ?? 0) > now + tolerance;
  if (outOfTime) return stsError(700024);
  if (header['x5t'] === undefined && header['x5t#S256'] === undefined) return checkFederated(registration, assertion);
  const key = certificateKey(registration, header);
  if (key === undefined || !isSigned(assertion, key)) return stsError(700027, { app });
  if (claims['iss'] !== app || claims['sub'] !== app) return stsError(700021);
  return isForUs(world, request, claims['aud']) ? undefined : stsError(700023);
}

function checkFederated(registration: AppRegistration, assertion: Assertion): StsError | undefined {
  const { claims } = assertion;
  const trusted = registration.federatedCredentials.find(
    (credential) =>
      credential.issuer === claims['iss'] &&
      credential.subject === claims['sub'] &&
      [claims['aud']].flat().includes(credential.audience),
  );
  if (trusted === undefined) return stsError(70021);
  return isSigned(assertion, createPublicKey(trusted.publicKey)) ? undefined : stsError(50013);
}

function certificateKey(registration: AppRegistration, header: JwtPart): KeyObject | undefined {
  for (const pem of registration.certificates) {
    const certificate = new X509Certificate(pem);
    const thumbprint = (algorithm: string): string => createHash(algorithm).update(certificate.raw).digest('base64url');
    if (header['x5t#S256'] === thumbprint('sha256') || header['x5t'] === thumbprint('sha1'))
      return certificate.publicKey;
  }
  return undefined;
}

function isSigned({ header, signed, signature }: Assertion, key: KeyObject): boolean {
  if (header['alg'] === 'RS256') return verify('sha256', signed, key, signature);
  if (header['alg'] !== 'PS256') return false;
  return verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);
}

/** The audience is the token endpoint of the tenant that is asked, so an assertion serves one tenant only. */
function isForUs(world: World, request: HttpRequest, audience: unknown): boolean {
  const path = request.path;
  const issuer = path.replace(/\/oauth2\/v2\.0\/token\/?$/i, '/v2.0');
  return [request.origin, world.issuerOrigin].some(
    (origin) => audience === origin + path || audience === origin + issuer,
  );
}

function parseAssertion(text: string): Assertion | undefined {
  const [head, payload, signature, ...more] = text.split('.');
  if (head === undefined || payload === undefined || signature === undefined || more.length > 0) return undefined;
  const [header, claims] = [parsePart(head), parsePart(payload)];
  if (header === undefined || claims === undefined) return undefined;
  return { header, claims, signed: Buffer.from(`${head}.${payload}`), signature: Buffer.from(signature, 'base64url') };
}

function parsePart(part: string): JwtPart | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
