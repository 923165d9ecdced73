import type { ApiKeyStore } from './face/api-keys.ts';
import type { AuditStore } from './face/audit.ts';
import type { ConsentStore } from './face/consents.ts';
import type { DirectoryStore } from './face/directory.ts';
import type { FeedStore } from './face/feed.ts';
import type { HeldStore } from './face/held.ts';
import type { IntentStore } from './face/intents.ts';
import type { ScopePreviewStore } from './face/preview.ts';
import type { ReconcileStore } from './face/reconcile.ts';
import type { RetentionStore } from './face/retention.ts';
import type { SealedStore } from './face/sealed.ts';
import type { SignInStore } from './face/sign-ins.ts';
import type { SubscriptionStore } from './face/subscriptions.ts';
import type { SyncStore } from './face/sync.ts';
import type { TenantStore } from './face/tenants.ts';
import type { TokenStore } from './face/tokens.ts';

/** The persistence room's face. One implementation serves PostgreSQL and PGlite: the same SQL on both. */
export interface Store {
  readonly tenants: TenantStore;
  readonly intents: IntentStore;
  readonly consents: ConsentStore;
  readonly signIns: SignInStore;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
  readonly sealed: SealedStore;
  readonly tokens: TokenStore;
  readonly sync: SyncStore;
  readonly held: HeldStore;
  readonly reconcile: ReconcileStore;
  readonly subscriptions: SubscriptionStore;
  readonly directory: DirectoryStore;
  readonly preview: ScopePreviewStore;
  readonly feed: FeedStore;
  readonly retention: RetentionStore;
  /** Rejects where the database cannot be reached. */
  ping(): Promise<void>;
  /** Runs `work` if no other process holds the named lock, else returns at once. An advisory lock of one transaction. */
  exclusively(lock: string, work: () => Promise<void>): Promise<void>;
  /** Ends what other processes began at the server and then stood still in; `silentMs`: for how long, a minute by default. */
  endStopped(silentMs?: number): Promise<void>;
  close(): Promise<void>;
}
