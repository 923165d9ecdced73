import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

export interface Certificates {
  readonly caFile: string;
  readonly key: string;
  readonly cert: string;
}

const FILES = { ca: 'ca.pem', key: 'server.key.pem', cert: 'server.pem' } as const;
const YEAR_MS = 365 * 86_400_000;
const RENEW_BEFORE_MS = 7 * 86_400_000;

/**
 * A certificate authority and a server certificate of our own, kept in the data folder so that a client which was told to
 * trust them (`NODE_EXTRA_CA_CERTS`) goes on trusting them after a restart. Libraries of Microsoft refuse plain http.
 */
export async function loadCertificates(dataDir: string): Promise<Certificates> {
  const folder = join(dataDir, 'tls');
  const path = (name: keyof typeof FILES): string => join(folder, FILES[name]);
  if (await areFresh(path('cert'), path('key'), path('ca'))) {
    return { caFile: path('ca'), key: await readFile(path('key'), 'utf8'), cert: await readFile(path('cert'), 'utf8') };
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const made = await makeCertificates();
  await writeFile(path('ca'), made.ca);
  await writeFile(path('key'), made.key, { mode: 0o600 });
  await writeFile(path('cert'), made.cert);
  return { caFile: path('ca'), key: made.key, cert: made.cert };
}

async function areFresh(...files: readonly [string, string, string]): Promise<boolean> {
  if (!files.every((file) => existsSync(file))) return false;
  const certificate = new X509Certificate(await readFile(files[0]));
  return Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS;
}

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
} as const;

async function makeCertificates(): Promise<{ readonly ca: string; readonly key: string; readonly cert: string }> {
  // A certificate that starts in the past is not refused by a machine whose clock runs behind.
  const validity = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 2 * YEAR_MS) };
  const authorityKeys = await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
  const authority = await X509CertificateGenerator.createSelfSigned(
    {
      ...{ ...validity, keys: authorityKeys, signingAlgorithm: RSA, name: 'CN=entra-sync emulator CA' },
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
      ],
    },
    webcrypto,
  );
  const keys = await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
  const server = await X509CertificateGenerator.create(
    {
      ...{ ...validity, publicKey: keys.publicKey, signingKey: authorityKeys.privateKey, signingAlgorithm: RSA },
      ...{ subject: 'CN=localhost', issuer: authority.subject },
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        // Clients that check strictly (Python from 3.13 on) refuse a certificate that does not name its authority's key.
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
        new SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
      ],
    },
    webcrypto,
  );
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { ca: authority.toString('pem'), key: key.toString(), cert: server.toString('pem') };
}
