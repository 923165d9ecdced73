import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

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
    const thumbprint = new X509Certificate(text).fingerprint256.replaceAll(':', '');
    return { kind, key: createPrivateKey(text), thumbprint };
  } catch {
    throw new CredentialError(`${file} must be a PEM file with a certificate and its unencrypted private key.`);
  }
}

export class CredentialError extends Error {
  override readonly name = 'CredentialError';
}
