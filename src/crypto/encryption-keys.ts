export interface EncryptionKey {
  /** Stands in clear beside what the key encrypted. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/** The first encrypts and signs, all decrypt and verify. */
export type EncryptionKeys = readonly [EncryptionKey, ...EncryptionKey[]];

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/** Reads `id:base64(32 bytes)`, comma separated. The error lists every fault and quotes no key. */
export function parseEncryptionKeys(text: string): EncryptionKeys {
  const faults: string[] = [];
  const keys: EncryptionKey[] = [];
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  for (const [index, entry] of entries.entries()) {
    const colon = entry.indexOf(':');
    // Without a colon the whole entry may be a key that lost its id: only its place is told.
    const id = colon === -1 ? '' : entry.slice(0, colon);
    const encoded = entry.slice(colon + 1);
    if (colon === -1) faults.push(`entry ${index + 1} has no id; write it as id:base64(32 bytes)`);
    else if (!KEY_ID.test(id)) faults.push(`the id of entry ${index + 1} must be 1 to 32 of A-Z a-z 0-9 _ -`);
    else if (keys.some((key) => key.id === id)) faults.push(`the id of entry ${index + 1} is used twice`);
    else if (!BASE64.test(encoded)) faults.push(`the key of entry ${index + 1} is not base64 of ${KEY_BYTES} bytes`);
    else keys.push({ id, bytes: Buffer.from(encoded, 'base64') });
  }
  const [first, ...others] = keys;
  if (entries.length === 0) faults.push('no key is given');
  if (faults.length > 0 || first === undefined) {
    throw new Error(`ENCRYPTION_KEYS: ${faults.join('; ')}. A new key: openssl rand -base64 32`);
  }
  return [first, ...others];
}
