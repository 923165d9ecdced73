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
