import type { KeyRole } from '../../domain/api-key.ts';
import type { Page } from './tenants.ts';

/** Times are ISO 8601. */
export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  /** The one tenant that it is for; null: all. */
  readonly tenant: { readonly no: number; readonly id: string } | null;
  readonly createdAt: string;
  /** To the minute. */
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

export interface ApiKeyStore {
  /** `hash`: SHA-256 of the key. Undefined where the tenant is gone. */
  create(
    key: Pick<ApiKeyRow, 'id' | 'name' | 'role'> & { readonly tenantNo: number | null; readonly hash: Uint8Array },
  ): Promise<ApiKeyRow | undefined>;
  /** The key with this hash unless it is revoked; notes its use, once a minute at most. */
  use(hash: Uint8Array): Promise<ApiKeyRow | undefined>;
  /** Revoked ones too, as long as the retention keeps them. */
  list(after: string | undefined, limit: number): Promise<Page<ApiKeyRow>>;
  /** From now on it opens nothing; repeating it does no harm. Undefined where there is none. */
  revoke(id: string): Promise<ApiKeyRow | undefined>;
}
