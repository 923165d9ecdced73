import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { EncryptionKey, EncryptionKeys } from './encryption-keys.ts';

/** Keeps what must not be read from the database: see ENCRYPTION_KEYS. */
export interface Sealer {
  /** Encrypts under the first key; only `open` with the same context, e.g. `token/tenant/42`, gives it back. */
  seal(plaintext: string, context: string): Uint8Array;
  /** Throws where the key is unknown, the bytes were changed, or the context is another. */
  open(sealed: Uint8Array, context: string): string;
  /** A signature by the first key, base64url, for things that we hand out and get back. */
  sign(purpose: string, message: string): string;
  /** True for a signature by any of the keys, so that a rotation does not break what was handed out. */
  verify(purpose: string, message: string, signature: string): boolean;
}

// Layout: version, length of the key's id, the id, nonce, ciphertext, tag. Version and id are authenticated with the context.
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSealer(keys: EncryptionKeys): Sealer {
  const [first] = keys;
  const byId = new Map(keys.map((key) => [key.id, sealingKey(key)]));
  const signingKeys = new Map<string, readonly Uint8Array[]>();

  const signingKeysOf = (purpose: string) => {
    const known = signingKeys.get(purpose);
    if (known) return known;
    const derived = keys.map((key) => derive(key, `sign/${purpose}`));
    signingKeys.set(purpose, derived);
    return derived;
  };

  return {
    seal(plaintext, context) {
      const header = headerOf(first.id);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealingKey(first), nonce);
      cipher.setAAD(Buffer.concat([header, Buffer.from(context)]));
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([header, nonce, body, cipher.getAuthTag()]);
    },

    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const headerEnd = 2 + (bytes[1] ?? 0);
      const bodyStart = headerEnd + NONCE_BYTES;
      if (bytes[0] !== VERSION || bytes.length < bodyStart + TAG_BYTES) throw new Error('Sealed bytes are malformed.');
      const id = bytes.toString('utf8', 2, headerEnd);
      const key = byId.get(id);
      if (!key) throw new Error(`Sealed under the key "${id}", which ENCRYPTION_KEYS does not hold.`);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(headerEnd, bodyStart), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.concat([bytes.subarray(0, headerEnd), Buffer.from(context)]));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return decipher.update(bytes.subarray(bodyStart, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        throw new Error(`Sealed bytes do not open as ${context}: changed, or sealed as something else.`);
      }
    },

    sign(purpose, message) {
      const [key] = signingKeysOf(purpose);
      return key ? hmac(key, message).toString('base64url') : '';
    },

    verify(purpose, message, signature) {
      const given = Buffer.from(signature, 'base64url');
      // The text itself is compared too: base64url decodes several texts to the same bytes.
      if (given.toString('base64url') !== signature) return false;
      return signingKeysOf(purpose).some((key) => {
        const expected = hmac(key, message);
        return expected.length === given.length && timingSafeEqual(expected, given);
      });
    },
  };
}

// One key never serves two algorithms: sealing and each purpose of signing have their own, derived from it.
function derive(key: EncryptionKey, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key.bytes, new Uint8Array(0), `entra-sync/${purpose}`, 32));
}

function sealingKey(key: EncryptionKey): Uint8Array {
  return derive(key, 'seal');
}

function headerOf(keyId: string): Buffer {
  const id = Buffer.from(keyId);
  return Buffer.concat([Buffer.from([VERSION, id.length]), id]);
}

function hmac(key: Uint8Array, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest();
}
