import type { Attributes } from '../../domain/directory.ts';

/** Somebody whom Microsoft signed in, and who may come in. Times are ISO 8601. */
export interface SignedIn {
  readonly tenantNo: number;
  readonly entraTenantId: string;
  readonly userId: string;
  readonly returnTo: string;
  /** When the person proved who they are to Microsoft, where it said so. */
  readonly authTime: string | null;
  readonly signedInAt: string;
}

export interface SignInStore {
  /** Of the mirror, soft-deleted people included. */
  person(
    tenantNo: number,
    userId: string,
  ): Promise<{ readonly data: Attributes; readonly deleted: boolean } | undefined>;
  issue(codeHash: Uint8Array, who: Omit<SignedIn, 'signedInAt'>, lifetimeMs: number): Promise<void>;
  /** Uses the code up, once and in time, if it is of this tenant where one is named; else undefined. */
  redeem(codeHash: Uint8Array, tenantNo?: number): Promise<SignedIn | undefined>;
  /** Drops codes that nobody exchanged in time. */
  sweep(): Promise<void>;
}
