import { randomBytes } from 'node:crypto';

/** What an authorization code stands for. */
export interface CodeGrant {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The tenant's place in the path: a GUID, `organizations` or `common`. */
  readonly authority: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly nonce: string | undefined;
  readonly scope: string;
  readonly challenge: string | undefined;
  readonly expiresAt: number;
}

const LIFETIME_MS = 10 * 60_000;

/** Codes and refresh tokens that were handed out. A code is kept after its use, to tell a second use from a wrong one. */
export class AuthorizationCodes {
  readonly #codes = new Map<string, { readonly grant: CodeGrant; redeemed: boolean }>();
  readonly #refreshTokens = new Map<string, CodeGrant>();

  issue(grant: Omit<CodeGrant, 'expiresAt'>, now: number): string {
    const code = `1.${randomBytes(48).toString('base64url')}`;
    this.#codes.set(code, { grant: { ...grant, expiresAt: now + LIFETIME_MS }, redeemed: false });
    return code;
  }

  /** What a code stands for; the caller says when it has been redeemed. */
  find(code: string): { readonly grant: CodeGrant; readonly redeemed: boolean } | undefined {
    return this.#codes.get(code);
  }

  markRedeemed(code: string): void {
    const entry = this.#codes.get(code);
    if (entry !== undefined) entry.redeemed = true;
  }

  issueRefreshToken(grant: CodeGrant): string {
    const token = `1.${randomBytes(64).toString('base64url')}`;
    this.#refreshTokens.set(token, grant);
    return token;
  }

  findRefreshToken(token: string): CodeGrant | undefined {
    return this.#refreshTokens.get(token);
  }
}
