/**
 * All that the database holds sealed: by table, as what a row is sealed, from its key as text. A row that is copied to
 * another place does not open there. `rotate-keys` goes through the same list.
 */
export const SEALED = {
  tenant_token: (tenantNo: number | string) => `token/tenant/${tenantNo}`,
  consent_attempt: (stateHash: string) => `consent/${stateHash}`,
} as const;

export type SealedPlace = keyof typeof SEALED;
export const SEALED_PLACES = ['tenant_token', 'consent_attempt'] as const satisfies readonly SealedPlace[];
