export interface TokenStore {
  put(tenantNo: number, sealed: Uint8Array, expiresAt: Date): Promise<void>;
  /** With until when Microsoft asked that nothing is asked of it in this tenant. */
  get(
    tenantNo: number,
  ): Promise<
    { readonly sealed: Uint8Array; readonly expiresAt: Date; readonly throttledUntil: Date | null } | undefined
  >;
}
