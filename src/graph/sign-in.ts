export interface ProofRequest {
  /** The directory, by id. */
  readonly entraTenant: string;
  readonly redirectUri: string;
  readonly state: string;
}

export interface BegunProof {
  readonly url: string;
  /** PKCE verifier. */
  readonly verifier: string;
  readonly nonce: string;
}

export interface ProofReturn {
  readonly entraTenant: string;
  /** The whole URL, or path and query, that the browser came back with. */
  readonly callbackUrl: string;
  /** The one that was sent: behind a proxy it differs from what the server sees. */
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: string;
  readonly nonce: string;
  readonly signal?: AbortSignal;
}

export type ProofOutcome =
  | {
      readonly proven: true;
      readonly tid: string;
      readonly oid: string;
      /** Directory role template ids; absent where the registration does not ask for the claim. */
      readonly wids?: readonly string[];
      /** For people to recognise; never a key (2.2). */
      readonly account: string | null;
      readonly name: string | null;
    }
  /** The person said no, or Microsoft did; `code` is the OAuth error. */
  | { readonly proven: false; readonly reason: 'declined'; readonly code: string }
  /** Something did not check out, or the code was used already: start again. */
  | { readonly proven: false; readonly reason: 'failed'; readonly code: string }
  | { readonly proven: false; readonly reason: 'unavailable'; readonly code: string };
