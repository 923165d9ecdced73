import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';

/**
 * Makes the opaque texts of links and codes: encrypted, so that nobody reads or edits them, and dependent on nothing but
 * the seed, so that a link survives a restart. Equal contents give equal texts; callers put a counter in where links
 * must differ.
 */
export class Sealer {
  readonly #key: Buffer;

  constructor(seed: number) {
    this.#key = createHash('sha256').update(`entra emulator ${seed}`).digest();
  }

  seal(value: unknown): string {
    const plain = JSON.stringify(value);
    // The initialisation vector is a keyed hash of the content: deterministic, and never the same for two contents.
    const iv = createHmac('sha256', this.#key).update(plain).digest().subarray(0, 12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** The value, or undefined for a text that we did not make or that was changed. */
  open(text: string): unknown {
    const data = Buffer.from(text, 'base64url');
    if (data.length < 29) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, data.subarray(0, 12));
      decipher.setAuthTag(data.subarray(12, 28));
      const plain = Buffer.concat([decipher.update(data.subarray(28)), decipher.final()]).toString('utf8');
      return JSON.parse(plain);
    } catch {
      return undefined;
    }
  }
}
