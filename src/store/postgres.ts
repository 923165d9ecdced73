import { finished } from 'node:stream/promises';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Logger } from 'pino';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { COPY_FROM_STDIN } from './copy.ts';
import {
  ANSWER_MARGIN_MS,
  INT8,
  isoTime,
  LONGEST_STATEMENT_MS,
  PREPARED,
  serverSession,
  TIMESTAMPTZ,
} from './session.ts';

const types = new pg.TypeOverrides();
types.setTypeParser(INT8, Number);
types.setTypeParser(TIMESTAMPTZ, isoTime);

/** What the server calls us in its list of sessions. */
export const APPLICATION_NAME = 'entra-sync';

/** A pool on a PostgreSQL server. */
export function openPostgres(
  databaseUrl: string,
  maxConnections: number,
  log: Logger,
  longestStatementMs = LONGEST_STATEMENT_MS,
): PostgresPool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: maxConnections,
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: 10_000,
    // Once nothing is heard for so long, the system asks whether the server is there still.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  });
  // A connection that the server ends between two queries has nobody to tell but these listeners; unheard, it ends us.
  pool.on('error', (error) => log.warn({ err: error }, 'A database connection was lost'));
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    client
      .query(serverSession(longestStatementMs))
      .catch((error: unknown) => log.warn({ err: error }, 'A database connection could not be set up'));
  });
  return {
    connect: async () => new ServerConnection(await pool.connect(), longestStatementMs + ANSWER_MARGIN_MS),
    end: () => pool.end(),
  };
}

class ServerConnection implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #longestAnswerMs: number;

  constructor(client: pg.PoolClient, longestAnswerMs: number) {
    this.#client = client;
    this.#longestAnswerMs = longestAnswerMs;
  }

  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    text: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof text !== 'string') throw new TypeError('Nothing here reads by cursor');
    if (COPY_FROM_STDIN.test(text)) return this.#inTime(this.#copy(text, String(parameters[0])));
    const name = PREPARED.exec(text)?.[1];
    const query = { text, values: [...parameters], ...(name === undefined ? {} : { name }) };
    return this.#inTime(this.#client.query(query) as unknown as Promise<PostgresQueryResult<R>>);
  }

  /** Gives the connection up where the server says nothing: the statement fails, and the pool opens another one. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    if (!Number.isFinite(this.#longestAnswerMs)) return answer;
    const timer = setTimeout(() => void this.#end(), this.#longestAnswerMs);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** With a statement under way this closes the connection at once, without a word to the server. */
  #end(): Promise<void> {
    return (this.#client as pg.PoolClient & Pick<pg.Client, 'end'>).end();
  }

  async #copy<R>(statement: string, rows: string): Promise<PostgresQueryResult<R>> {
    const stream = this.#client.query(copyFrom(statement));
    stream.end(rows);
    await finished(stream);
    return { command: 'INSERT', rowCount: stream.rowCount, rows: [] };
  }

  release(): void {
    this.#client.release();
  }
}

/** Where that is, for people and logs; never the user or the password. */
export function whereIs(databaseUrl: string): { host: string; port: number; database: string } {
  const { host, port, database } = new pg.Client({ connectionString: databaseUrl });
  return { host, port, database: database ?? '' };
}
