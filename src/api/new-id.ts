import { randomBytes } from 'node:crypto';

// Crockford's 32: without i, l, o and u, since an id is read aloud and typed.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

export function newId(kind: 'env' | 'key'): string {
  return `${kind}_${Array.from(randomBytes(12), (byte) => ALPHABET.charAt(byte % 32)).join('')}`;
}
