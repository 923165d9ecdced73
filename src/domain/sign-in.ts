import type { Phase } from './tenant.ts';

/** How people of a tenant sign in. */
export interface SignIn {
  /** Addresses that a browser may be sent back to, as browsers write them. None: nobody signs in. */
  readonly returnUrls: readonly string[];
  /** Only who is assigned to the enterprise application, in person or by a group that they are a direct member of. */
  readonly requireAssignment: boolean;
}

export type SignInSettings = Partial<SignIn>;

export const signInOf = (settings: SignInSettings): SignIn => ({
  returnUrls: [],
  requireAssignment: false,
  ...settings,
});

/** Why somebody whom Microsoft has signed in is kept out all the same. */
export type SignInRefusal = 'revoked' | 'first_sync' | 'not_in_mirror' | 'deleted' | 'disabled';

/** Decides from the mirror; what is not known counts against the person. Undefined: they may come in. */
export function refusalOf(
  tenant: { readonly phase: Phase; readonly asOf: string | null },
  person: { readonly deleted: boolean; readonly accountEnabled: unknown } | undefined,
): SignInRefusal | undefined {
  if (tenant.phase === 'revoked') return 'revoked';
  // Until the first round is complete nobody's groups are, and who is missing may be on the next page.
  if (tenant.asOf === null) return 'first_sync';
  if (person === undefined) return 'not_in_mirror';
  if (person.deleted) return 'deleted';
  return person.accountEnabled === true ? undefined : 'disabled';
}
