import type { Intent } from './intents.ts';
import type { ConsentCandidate } from './tenants.ts';

/** Microsoft's consent, the proof of who gave it, whether it is meant, and a person's sign-in: each with a state of its own. */
export type ConsentStep = 'consent' | 'proof' | 'confirm' | 'signin';

export interface ConsentAttempt {
  readonly tenantNo: number;
  readonly step: ConsentStep;
  readonly browserHash: Uint8Array;
  readonly entraTenant: string | null;
  /** What the step before handed over. */
  readonly sealed: Uint8Array | null;
}

export type AttemptRefusal = 'unknown' | 'used' | 'expired' | 'other_browser';
export type BindRefusal = 'directory_taken' | 'bound_to_another' | 'link_revoked';

/** How a consent began. */
export interface Begun {
  /** As the administrator named them; they hold only where the product has named none. */
  readonly groups?: readonly string[] | undefined;
  /** Of the set-up link, where it was one: after another serial it counts no more. */
  readonly linkSerial?: number | undefined;
}

export interface ConsentStore {
  begin(stateHash: Uint8Array, attempt: ConsentAttempt, expiresAt: Date): Promise<void>;
  /** Uses the state up if it is known, unused, unexpired and of this browser and its tenant is live; else changes nothing and says why. */
  use(stateHash: Uint8Array, browserHash: Uint8Array): Promise<ConsentAttempt | AttemptRefusal>;
  /** The same without using anything up. */
  look(stateHash: Uint8Array, browserHash: Uint8Array): Promise<ConsentAttempt | AttemptRefusal>;
  /** Why the directory cannot be bound now; a later `bind` may still find otherwise. */
  refusal(tenantNo: number, entraTenant: string): Promise<BindRefusal | undefined>;
  /** Binds the proven directory and commits the `consent` intent, in one transaction. */
  bind(tenantNo: number, entraTenant: string, begun?: Begun): Promise<Intent | BindRefusal>;
  /** Keeps a consent until the API approves it, and commits a `consent` intent that the workflow shows. */
  propose(tenantNo: number, candidate: ConsentCandidate, begun?: Begun): Promise<Intent | BindRefusal>;
  /** Binds the candidate and commits a `consent` intent. */
  approve(tenantNo: number): Promise<Intent | 'nothing_to_approve' | 'directory_taken'>;
  /** Drops attempts that expired a day ago. */
  sweep(): Promise<void>;
}
