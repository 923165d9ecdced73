import type { TokenFailure } from '../domain/activities.ts';

export interface AppToken {
  readonly kind: 'token';
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** As a hint (1.4): undefined where the token cannot be read, which a client has no right to. */
  readonly roles: readonly string[] | undefined;
}

export interface TokenRefusal {
  readonly kind: 'refused';
  readonly failure: TokenFailure;
  readonly aadsts?: number;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
}

export type TokenOutcome = AppToken | TokenRefusal;
