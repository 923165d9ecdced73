import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly certificate: string;
}

export type Claims = Readonly<Record<string, unknown>>;

const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

/** The keys that tokens are signed with. Microsoft rotates them without notice; the control API does so on command. */
export class SigningKeys {
  #keys: readonly SigningKey[] = [];

  static async create(): Promise<SigningKeys> {
    const keys = new SigningKeys();
    await keys.rotate();
    return keys;
  }

  /** A new key signs from now on; the one before it stays published, so that tokens under way still verify. */
  async rotate(): Promise<void> {
    this.#keys = [await makeKey(), ...this.#keys].slice(0, 2);
  }

  /** Forgets every key but the one that signs: tokens of an older key can no longer be verified. */
  forgetOld(): void {
    this.#keys = this.#keys.slice(0, 1);
  }

  /** The key set; each key names its issuer, which a multi-tenant application compares (reference, 2.2). */
  publicKeys(issuer: string): { readonly keys: readonly unknown[] } {
    return {
      keys: this.#keys.map((key) => {
        const { n, e } = key.publicKey.export({ format: 'jwk' });
        return { kty: 'RSA', use: 'sig', kid: key.kid, x5t: key.kid, n, e, x5c: [key.certificate], issuer };
      }),
    };
  }

  /** An ordinary signed token: an id_token. */
  signToken(claims: Claims): string {
    const key = this.#current();
    const header = { typ: 'JWT', alg: 'RS256', x5t: key.kid, kid: key.kid };
    return joinSigned(header, header, claims, key.privateKey);
  }

  /**
   * An access token for Graph. Its header carries a nonce whose hash was signed in its place, so nobody but Graph can
   * verify it: clients must treat it as opaque (reference, 2.3), and one that does not fails here as it fails there.
   */
  signGraphToken(claims: Claims, nonce: string): string {
    const key = this.#current();
    const rest = { alg: 'RS256', x5t: key.kid, kid: key.kid };
    const shown = { typ: 'JWT', nonce, ...rest };
    const signed = { typ: 'JWT', nonce: hashNonce(nonce), ...rest };
    return joinSigned(shown, signed, claims, key.privateKey);
  }

  /** The claims of a token that we signed ourselves, or undefined. */
  verifyOwn(token: string): Claims | undefined {
    const [head, payload, signature, ...more] = token.split('.');
    if (head === undefined || payload === undefined || signature === undefined || more.length > 0) return undefined;
    const header = parseObject(head);
    const key = this.#keys.find((candidate) => candidate.kid === header?.['kid']);
    if (header === undefined || key === undefined) return undefined;
    const nonce = header['nonce'];
    const signed = typeof nonce === 'string' ? { ...header, nonce: hashNonce(nonce) } : header;
    const input = Buffer.from(`${base64url(JSON.stringify(signed))}.${payload}`);
    if (!verify('sha256', input, key.publicKey, Buffer.from(signature, 'base64url'))) return undefined;
    return parseObject(payload);
  }

  #current(): SigningKey {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('no signing key was made');
    return key;
  }
}

async function makeKey(): Promise<SigningKey> {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const made = await generate([{ name: 'commonName', value: 'accounts.accesscontrol.windows.net' }], {
    algorithm: 'sha256',
    keyPair: { privateKey: pair.privateKey, publicKey: pair.publicKey },
  });
  const der = new X509Certificate(made.cert).raw;
  return {
    kid: createHash('sha1').update(der).digest('base64url'),
    privateKey: createPrivateKey(pair.privateKey),
    publicKey: createPublicKey(pair.publicKey),
    certificate: der.toString('base64'),
  };
}

function joinSigned(shown: Claims, signed: Claims, claims: Claims, key: KeyObject): string {
  const payload = base64url(JSON.stringify(claims));
  const signature = sign('sha256', Buffer.from(`${base64url(JSON.stringify(signed))}.${payload}`), key);
  return `${base64url(JSON.stringify(shown))}.${payload}.${base64url(signature)}`;
}

function hashNonce(nonce: string): string {
  return createHash('sha256').update(nonce).digest('base64url');
}

function parseObject(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
