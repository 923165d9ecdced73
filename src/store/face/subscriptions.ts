export type SubscribedResource = 'users' | 'groups';

export interface SubscriptionRow {
  readonly resource: SubscribedResource;
  /** Graph's id of it. */
  readonly id: string;
  readonly expiresAt: Date;
}

/** What a notification must be held against. */
export interface KnownSubscription {
  readonly id: string;
  readonly tenantNo: number;
  readonly tenantId: string;
  readonly entraTenantId: string;
  readonly clientStateHash: Uint8Array;
}

export interface SubscriptionStore {
  of(tenantNo: number): Promise<readonly SubscriptionRow[]>;
  /** False where the tenant is gone. */
  put(tenantNo: number, row: SubscriptionRow & { readonly clientStateHash: Uint8Array }): Promise<boolean>;
  renewed(tenantNo: number, resource: SubscribedResource, expiresAt: Date): Promise<void>;
  drop(tenantNo: number, resource: SubscribedResource): Promise<void>;
  /** How looking after them went so far; `failingSince` in ISO 8601. */
  keeping(tenantNo: number): Promise<SubscriptionKeeping>;
  /** Says when to look after them next; null: there are none. */
  kept(tenantNo: number, result: SubscriptionKeeping & { readonly keepAt: Date | null }): Promise<void>;
  /** Of these ids those that are subscriptions of live tenants. */
  known(ids: readonly string[]): Promise<readonly KnownSubscription[]>;
  /**
   * These tenants have news. Returns those of which no hint is on its way yet: their workflows are to be told.
   * `keepNow`: their subscriptions are to be looked after with the next round.
   */
  hint(tenantNos: readonly number[], also: { readonly keepNow: boolean }): Promise<readonly number[]>;
}

export interface SubscriptionKeeping {
  readonly baseUrl: string | null;
  readonly failures: number;
  readonly failingSince: string | null;
}
