import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';

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

async function makeCertificates(): Promise<{ readonly ca: string; readonly key: string; readonly cert: string }> {
  // A certificate that starts in the past is not refused by a machine whose clock runs behind.
  const validity = {
    notBeforeDate: new Date(Date.now() - 86_400_000),
    notAfterDate: new Date(Date.now() + 2 * YEAR_MS),
  };
  const authority = await generate([{ name: 'commonName', value: 'entra-sync emulator CA' }], {
    ...validity,
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...validity,
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { ca: authority.cert, key: server.private, cert: server.cert };
}
