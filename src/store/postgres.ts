import type { Logger } from 'pino';
import pg from 'pg';
import { INT8, isoTime, SESSION, TIMESTAMPTZ } from './session.ts';

const types = new pg.TypeOverrides();
types.setTypeParser(INT8, Number);
types.setTypeParser(TIMESTAMPTZ, isoTime);

/** A pool on a PostgreSQL server. */
export function openPostgres(databaseUrl: string, maxConnections: number, log: Logger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: maxConnections,
    application_name: 'entra-sync',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types,
  });
  // A connection that the server ends between two queries has nobody to tell but these listeners; unheard, it ends us.
  pool.on('error', (error) => log.warn({ err: error }, 'A database connection was lost'));
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    client
      .query(SESSION)
      .catch((error: unknown) => log.warn({ err: error }, 'A database connection could not be set up'));
  });
  return pool;
}

/** Where that is, for people and logs; never the user or the password. */
export function whereIs(databaseUrl: string): { host: string; port: number; database: string } {
  const { host, port, database } = new pg.Client({ connectionString: databaseUrl });
  return { host, port, database: database ?? '' };
}
