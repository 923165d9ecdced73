import { aadstsIn } from '../../domain/catalogue/catalogue.ts';
import type { ConsentAttempt } from '../../store/face/consents.ts';
import type { TenantRow } from '../../store/face/tenants.ts';
import type { ProofOutcome } from '../../graph/sign-in.ts';
import { GUID } from '../schemas/fields.ts';

/**
 * The decisions of a consent, apart from everything that is read or written for them.
 * Microsoft's `tenant` is a hint from a browser: it never binds anything by itself.
 */

/** How a consent can end for the person in front of it. Each has a page of its own. */
export type Outcome =
  | { readonly kind: 'no_state' | 'outside' }
  | { readonly kind: 'unknown' | 'used' | 'expired' | 'other_browser' }
  | { readonly kind: 'declined' | 'cancelled' | 'needs_administrator'; readonly code: string }
  | { readonly kind: 'microsoft_error'; readonly code: string; readonly description: string | null }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'wrong_directory' }
  | { readonly kind: 'not_administrator'; readonly account: string | null }
  | { readonly kind: 'proof_failed'; readonly code: string }
  | { readonly kind: 'microsoft_unavailable' }
  | { readonly kind: 'directory_taken' | 'bound_to_another' | 'link_revoked' }
  | { readonly kind: 'not_mine' };

/** What Microsoft's redirect carries, as text or not at all: a parameter that came twice says nothing. */
export interface CallbackQuery {
  readonly state?: string | undefined;
  readonly error?: string | undefined;
  readonly error_subcode?: string | undefined;
  readonly error_description?: string | undefined;
  readonly tenant?: string | undefined;
  readonly admin_consent?: string | undefined;
  readonly code?: string | undefined;
}

/** An error that Microsoft reports. Its presence decides: the v2 error answer carries `admin_consent=True` too. */
export function readError(query: CallbackQuery): Outcome | undefined {
  if (query.error === undefined) return undefined;
  const number = aadstsIn(query.error_description);
  const code = number === undefined ? query.error : `AADSTS${number}`;
  // A number says more than the error: `access_denied` stands for a person's no, and for an account that may not consent.
  const declined =
    number === undefined ? ['access_denied', 'permission_denied'].includes(query.error) : number === DECLINED;
  if (query.error_subcode === 'cancel' && (declined || number === undefined)) return { kind: 'cancelled', code };
  if (declined) return { kind: 'declined', code };
  // The person may not grant it, or has just asked an administrator to (1.8).
  if (number !== undefined && NEEDS_ADMINISTRATOR.has(number)) return { kind: 'needs_administrator', code };
  return { kind: 'microsoft_error', code, description: query.error_description ?? null };
}

/** "The resource owner or authorization server denied the request." */
const DECLINED = 65004;
const NEEDS_ADMINISTRATOR = new Set([90093, 90094, 90095]);

/** An answer to no request of ours matches nothing; what it says may still help the person in front of it. */
export function withoutState(query: CallbackQuery): Outcome {
  const error = readError(query);
  // The documented refusal of the v1 endpoint carries no state (1.2).
  if (error?.kind === 'declined' || error?.kind === 'cancelled') return error;
  const consented = query.error === undefined && query.admin_consent?.toLowerCase() === 'true';
  return { kind: consented ? 'outside' : 'no_state' };
}

/** What the answer is good for, given what its attempt was started for. */
export type Step =
  | { readonly next: 'consented'; readonly directory: string }
  | { readonly next: 'redeem'; readonly directory: string }
  | { readonly next: 'malformed' };

export function readAnswer(attempt: ConsentAttempt, query: CallbackQuery): Step {
  if (attempt.step === 'consent') {
    if (query.tenant === undefined || !GUID.test(query.tenant)) return { next: 'malformed' };
    return { next: 'consented', directory: query.tenant.toLowerCase() };
  }
  if (attempt.step !== 'proof' || query.code === undefined || attempt.entraTenant === null) {
    return { next: 'malformed' };
  }
  return { next: 'redeem', directory: attempt.entraTenant };
}

export type AfterConsent = 'wrong_directory' | 'bound_to_another' | 'vouched' | 'prove';

/** The holder of the API key vouches for the directory that they named; any other has to be proven. */
export function afterConsent(
  tenant: Pick<TenantRow, 'expectedEntraTenant' | 'entraTenantId'>,
  directory: string,
): AfterConsent {
  if (tenant.entraTenantId !== null && tenant.entraTenantId !== directory) return 'bound_to_another';
  if (tenant.expectedEntraTenant === null) return 'prove';
  return tenant.expectedEntraTenant === directory ? 'vouched' : 'wrong_directory';
}

/** Role template ids of those who may grant application permissions for a directory. */
const ADMINISTRATORS = new Set([
  '62e90394-69f5-4237-9190-012177145e10', // Global Administrator
  'e8611ab8-c189-46e8-94e1-60213ab1f814', // Privileged Role Administrator
]);

export type AfterProof =
  | { readonly next: 'bind' | 'propose'; readonly account: string | null; readonly name: string | null }
  | { readonly next: 'refuse'; readonly outcome: Outcome };

export function afterProof(directory: string, proof: ProofOutcome): AfterProof {
  if (!proof.proven) {
    if (proof.reason === 'unavailable') return { next: 'refuse', outcome: { kind: 'microsoft_unavailable' } };
    if (proof.reason === 'declined') return { next: 'refuse', outcome: { kind: 'declined', code: proof.code } };
    // What Microsoft has a number for is told in the words of the catalogue.
    const kind = aadstsIn(proof.code) === undefined ? 'proof_failed' : 'microsoft_error';
    return { next: 'refuse', outcome: { kind, code: proof.code, description: null } };
  }
  if (proof.tid.toLowerCase() !== directory) return { next: 'refuse', outcome: { kind: 'wrong_directory' } };
  // Where the registration does not ask for the claim nothing is known of the person's roles: somebody has to approve.
  const { account, name } = proof;
  if (proof.wids === undefined) return { next: 'propose', account, name };
  if (proof.wids.some((role) => ADMINISTRATORS.has(role.toLowerCase()))) return { next: 'bind', account, name };
  return { next: 'refuse', outcome: { kind: 'not_administrator', account } };
}
