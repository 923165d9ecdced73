import { aadstsIn } from '../../domain/catalogue/catalogue.ts';
import type { SignInRefusal } from '../../domain/sign-in.ts';
import type { ProofOutcome } from '../../graph/sign-in.ts';
import { readError, type CallbackQuery } from '../consent/decide.ts';

/** How a sign-in can end for the person in front of it, other than coming in. Each has a page of its own. */
export type SignInOutcome =
  | { readonly kind: 'no_state' | 'unknown' | 'used' | 'expired' | 'other_browser' | 'malformed' }
  | { readonly kind: 'cancelled' | 'proof_failed'; readonly code: string }
  | { readonly kind: 'microsoft_error'; readonly code: string; readonly description: string | null }
  | { readonly kind: 'microsoft_unavailable' }
  | { readonly kind: SignInRefusal | 'unassigned' | 'assignment_unknown' };

/** A person's no; any other error with a number is told in the words of the catalogue. */
const NO = new Set(['declined', 'cancelled']);

export function microsoftSaid(query: CallbackQuery): SignInOutcome | undefined {
  const error = readError(query);
  if (error === undefined || !('code' in error)) return undefined;
  if (NO.has(error.kind)) return { kind: 'cancelled', code: error.code };
  return { kind: 'microsoft_error', code: error.code, description: query.error_description ?? null };
}

/** Why the proof did not succeed. */
export function proofFailed(proof: Exclude<ProofOutcome, { proven: true }>): SignInOutcome {
  if (proof.reason === 'unavailable') return { kind: 'microsoft_unavailable' };
  if (proof.reason === 'declined') return { kind: 'cancelled', code: proof.code };
  if (aadstsIn(proof.code) === undefined) return { kind: 'proof_failed', code: proof.code };
  return { kind: 'microsoft_error', code: proof.code, description: null };
}
