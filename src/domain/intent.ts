/**
 * What the API wants of a tenant's workflow. The API commits an intent, then signals it under its kind's name;
 * a sweeper repeats what no workflow took. So a signal may come twice, late, or for another life of the name.
 */
export const INTENT_KINDS = [
  'start', // the tenant was created
  'consent', // a directory was bound, or a candidate waits for approval
  'settings', // name, scope or guards changed
  'sync', // a delta round now
  'resync', // a full round now
  'pause',
  'resume',
  'revoke',
  'approve_held', // the removals that a guard holds are to be applied
  'reject_held', // they are to be dropped, and all is read again
  'delete',
] as const;
export type IntentKind = (typeof INTENT_KINDS)[number];

export interface IntentMessage {
  readonly tenantNo: number;
  readonly intentId: string;
  /** Of two contrary intents the later one holds, in whatever order they arrive. */
  readonly seq: number;
}
