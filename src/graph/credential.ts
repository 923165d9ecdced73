import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CredentialFacts } from '../domain/doctor.ts';
import { isObject, parseJson } from './json.ts';

/** How the application proves itself to Microsoft. Files are read at each use, so that they can be replaced while we run. */
export type Credential =
  | { readonly kind: 'secret'; readonly secret: string }
  /** A PEM file that holds the certificate and its private key. */
  | { readonly kind: 'certificate'; readonly file: string }
  /** A JWT of a platform that the app registration trusts, kept fresh by that platform. */
  | { readonly kind: 'federated'; readonly file: string };

export type LoadedCredential =
  | { readonly kind: 'secret'; readonly secret: string }
  | {
      readonly kind: 'certificate';
      readonly key: KeyObject;
      /** SHA-256 of the certificate in hex: what the app registration finds it by. */
      readonly thumbprint: string;
      /** Milliseconds since 1970. */
      readonly expiresAt: number;
    }
  | { readonly kind: 'federated'; readonly assertion: string };

/** Reads the credential as it is now; the error names the file and quotes nothing of it. */
export async function loadCredential(credential: Credential): Promise<LoadedCredential> {
  if (credential.kind === 'secret') return credential;
  const { kind, file } = credential;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CredentialError(`The ${kind} file ${file} cannot be read: ${error.code ?? 'unknown'}.`);
  });
  if (kind === 'federated') return { kind, assertion: text.trim() };
  try {
    const certificate = new X509Certificate(text);
    const thumbprint = certificate.fingerprint256.replaceAll(':', '');
    const key = createPrivateKey(text);
    if (!certificate.checkPrivateKey(key))
      throw new CredentialError(`The key in ${file} is not that of its certificate.`);
    return { kind, key, thumbprint, expiresAt: Date.parse(certificate.validTo) };
  } catch (error) {
    if (error instanceof CredentialError) throw error;
    throw new CredentialError(`${file} must be a PEM file with a certificate and its unencrypted private key.`);
  }
}

export class CredentialError extends Error {
  override readonly name = 'CredentialError';
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const VARIABLES = {
  secret: 'ENTRA_CLIENT_SECRET',
  certificate: 'ENTRA_CLIENT_CERTIFICATE_FILE',
  federated: 'ENTRA_FEDERATED_TOKEN_FILE',
} as const;

/** What can be said of a credential without asking Microsoft: whether it can be used, and until when. */
export async function lookAtCredential(credential: Credential, next: boolean): Promise<CredentialFacts> {
  const { kind } = credential;
  const facts = { kind, variable: `${VARIABLES[kind]}${next ? '_NEXT' : ''}` };
  if (kind === 'secret') return GUID.test(credential.secret) ? { ...facts, looksLikeId: true } : facts;
  try {
    const loaded = await loadCredential(credential);
    const expiresAt =
      loaded.kind === 'certificate'
        ? loaded.expiresAt
        : loaded.kind === 'federated'
          ? endOfToken(loaded.assertion)
          : undefined;
    return expiresAt === undefined ? facts : { ...facts, expiresAt };
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    return { ...facts, unusable: error.message };
  }
}

function endOfToken(assertion: string): number | undefined {
  const claims = parseJson(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const exp = isObject(claims) ? claims['exp'] : undefined;
  return typeof exp === 'number' ? exp * 1000 : undefined;
}

/**
 * Tries with the first credential, and with the second where Microsoft refuses the first: while a secret or certificate is
 * replaced, both are known here, and no request fails because the one was taken away before the other was put in its place.
 */
export async function withCredentials<T>(
  { credential, nextCredential }: { readonly credential: Credential; readonly nextCredential?: Credential | undefined },
  attempt: (credential: Credential) => Promise<T>,
  isRejected: (outcome: T) => boolean,
): Promise<{ readonly outcome: T; readonly second: boolean }> {
  const outcome = await attempt(credential);
  if (nextCredential === undefined || !isRejected(outcome)) return { outcome, second: false };
  const second = await attempt(nextCredential);
  // Where both are refused, what is said of the first is what has to be mended.
  return isRejected(second) ? { outcome, second: false } : { outcome: second, second: true };
}
