import { join } from 'node:path';
import { CompiledQuery, Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import type { Logger } from 'pino';
import { createApiKeys } from './api-keys.ts';
import { createAudit } from './audit.ts';
import { createConsents } from './consents.ts';
import { createDirectory } from './directory.ts';
import { advisoryLock, processLock } from './exclusively.ts';
import { endStopped } from './end-stopped.ts';
import { createFeed } from './feed.ts';
import { lockFolder } from './folder-lock.ts';
import { noticeRestore } from './identity.ts';
import { createIntents } from './intents.ts';
import { migrateToLatest } from './migrate.ts';
import { openPglite } from './pglite.ts';
import { openPostgres, whereIs } from './postgres.ts';
import { createRetention } from './retention.ts';
import type { Database, Schema } from './schema.ts';
import { createSealed } from './sealed.ts';
import { createSignIns } from './sign-ins.ts';
import type { Store } from './store.ts';
import { createReconcile } from './reconcile.ts';
import { createHeld } from './held.ts';
import { createSubscriptionStore } from './subscriptions.ts';
import { createScopePreview } from './scope/preview.ts';
import { createSync } from './sync.ts';
import { createTenants } from './tenants.ts';
import { createTokens } from './tokens.ts';
import { waitForDatabase } from './wait.ts';

export interface StoreOptions {
  /** A PostgreSQL server; without it the embedded database under `dataDir`. */
  readonly databaseUrl?: string | undefined;
  readonly dataDir: string;
  readonly log: Logger;
  readonly maxConnections?: number;
  /** Ends the wait for a server that does not answer. */
  readonly signal?: AbortSignal;
}

/** Opens the database, waiting for it if need be, and brings its tables up to date. */
export async function openStore(options: StoreOptions): Promise<Store> {
  return options.databaseUrl === undefined ? openEmbedded(options) : openServer(options.databaseUrl, options);
}

async function openServer(databaseUrl: string, options: StoreOptions): Promise<Store> {
  const pool = openPostgres(databaseUrl, options.maxConnections ?? 10, options.log);
  const db = openDatabase(pool);
  try {
    await waitForDatabase(() => ping(db), whereIs(databaseUrl), options.log, options.signal);
    await migrateServer(databaseUrl, options.log);
    return await prepare(db, { exclusively: advisoryLock(db) }, options.log);
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** A migration, or the wait for another process's, may take long: no time limit of the pool holds for it. */
async function migrateServer(databaseUrl: string, log: Logger): Promise<void> {
  const db = openDatabase(openPostgres(databaseUrl, 1, log, Infinity));
  try {
    await migrate(db, log);
  } finally {
    await db.destroy();
  }
}

async function openEmbedded({ dataDir, log }: StoreOptions): Promise<Store> {
  const folder = join(dataDir, 'pglite');
  const unlock = await lockFolder(folder);
  try {
    const db = openDatabase(await openPglite(folder));
    await migrate(db, log);
    return await prepare(db, { exclusively: processLock(), afterClose: unlock }, log);
  } catch (error) {
    await unlock();
    throw error;
  }
}

export function openDatabase(pool: PostgresPool): Database {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

export interface StoreParts {
  readonly exclusively: Store['exclusively'];
  readonly afterClose?: () => Promise<void>;
}

async function migrate(db: Database, log: Logger): Promise<void> {
  const migrated = await migrateToLatest(db);
  if (migrated.length > 0) log.info({ migrated }, 'The database was brought up to date');
}

async function prepare(db: Database, parts: StoreParts, log: Logger): Promise<Store> {
  if (await noticeRestore(db)) log.warn('The database was restored: older cursors of the feed are void');
  return createStore(db, parts);
}

/** The store on a database whose tables are up to date. */
export function createStore(db: Database, parts: StoreParts): Store {
  return {
    tenants: createTenants(db),
    intents: createIntents(db),
    consents: createConsents(db),
    signIns: createSignIns(db),
    apiKeys: createApiKeys(db),
    audit: createAudit(db),
    sealed: createSealed(db),
    tokens: createTokens(db),
    sync: createSync(db),
    held: createHeld(db),
    reconcile: createReconcile(db),
    subscriptions: createSubscriptionStore(db),
    directory: createDirectory(db),
    preview: createScopePreview(db),
    feed: createFeed(db),
    retention: createRetention(db),
    ping: () => ping(db),
    exclusively: parts.exclusively,
    endStopped: (silentMs) => endStopped(db, silentMs),
    close: async () => {
      await db.destroy();
      await parts.afterClose?.();
    },
  };
}

async function ping(db: Database): Promise<void> {
  await db.executeQuery(CompiledQuery.raw('SELECT 1'));
}
