import type { IntentKind } from '../../domain/intent.ts';

export interface Intent {
  readonly id: string;
  /** Grows with each intent of the installation: tells the workflow which of two contrary wishes came later. */
  readonly seq: number;
  readonly tenantNo: number;
  readonly kind: IntentKind;
}

export interface IntentStore {
  /**
   * Commits the intent; for `delete` also marks the tenant as being deleted and raises its fences, for `approve_held` notes
   * how far the held set has come: what a round adds later is not approved.
   */
  add(tenantNo: number, kind: IntentKind): Promise<Intent>;
  /** Untaken intents older than `ageMs` of live tenants, oldest first. */
  open(ageMs: number): Promise<readonly (Intent & { readonly tenantId: string })[]>;
  tick(ids: readonly string[]): Promise<void>;
}
