import { randomBytes } from 'node:crypto';
import type { PostgresPool } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import { advisoryLock, processLock } from '../../src/store/exclusively.ts';
import { migrateToLatest } from '../../src/store/migrate.ts';
import { createStore, openDatabase } from '../../src/store/open.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Database } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';

export const LOG = pino({ level: 'silent' });

/** A store and what a test needs to look under it. */
export interface Backend {
  readonly store: Store;
  readonly db: Database;
  /** Whether several transactions can be open at once. */
  readonly concurrent: boolean;
  /** The same database through a pool of the test's making. */
  through(wrap: (pool: PostgresPool) => PostgresPool): Store;
  close(): Promise<void>;
}

export async function pgliteBackend(): Promise<Backend> {
  const pool = await openPglite('memory://');
  const db = openDatabase(pool);
  await migrateToLatest(db);
  const exclusively = processLock();
  return {
    db,
    store: createStore(db, { exclusively }),
    concurrent: false,
    through: (wrap) => createStore(openDatabase(wrap(pool)), { exclusively }),
    close: () => db.destroy(),
  };
}

/** A database of its own on the server, dropped afterwards. */
export async function postgresBackend(databaseUrl: string): Promise<Backend> {
  const name = `entra_sync_test_${randomBytes(6).toString('hex')}`;
  await onServer(databaseUrl, `CREATE DATABASE ${name}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  const pool = openPostgres(url.href, 16, LOG);
  const db = openDatabase(pool);
  await migrateToLatest(db);
  return {
    db,
    store: createStore(db, { exclusively: advisoryLock(db) }),
    concurrent: true,
    through: (wrap) => {
      const faulty = openDatabase(wrap(pool));
      return createStore(faulty, { exclusively: advisoryLock(faulty) });
    },
    close: async () => {
      await db.destroy();
      await onServer(databaseUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(databaseUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
