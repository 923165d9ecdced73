export interface ConsentRequest {
  /** The directory's id or domain where it is known, else the administrator chooses. */
  readonly entraTenant?: string;
  readonly redirectUri: string;
  readonly state: string;
}

export type ResolvedDirectory =
  | { readonly kind: 'directory'; readonly id: string }
  /** Microsoft knows no such directory, in this cloud. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' };
