/** What an answer of Graph can mean. No caller looks at a status code. */
export type GraphFailure =
  /** Wait, as long as Microsoft said where it did. */
  | { readonly kind: 'throttled'; readonly retryAfterMs?: number }
  /** 401: a new token may help, once. */
  | { readonly kind: 'token_rejected'; readonly requestId?: string }
  /** 403: the permission is missing, or not effective yet. */
  | { readonly kind: 'forbidden'; readonly requestId?: string }
  /** A delta or page link is dead: only a full round helps. */
  | { readonly kind: 'delta_expired' }
  | { readonly kind: 'not_found'; readonly requestId?: string }
  /** 5xx, a broken connection, a timeout, HTML or half a body in place of JSON. */
  | { readonly kind: 'unavailable'; readonly retryAfterMs?: number; readonly requestId?: string }
  /** Graph understood and will not: a bug of ours, or a directory of a kind that has no such feed. */
  | { readonly kind: 'refused'; readonly code: string; readonly requestId?: string };
