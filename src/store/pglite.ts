import { PGlite } from '@electric-sql/pglite';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { COPY_FROM_STDIN } from './copy.ts';
import { INT8, isoTime, SESSION, TIMESTAMPTZ } from './session.ts';

/** The embedded database behind the face of a pool of one, so that it takes the same way through Kysely as a server does. */
export async function openPglite(folder: string): Promise<PostgresPool> {
  const database = await PGlite.create({
    dataDir: folder,
    parsers: { [INT8]: Number, [TIMESTAMPTZ]: isoTime },
  });
  await database.exec(SESSION);
  return new PoolOfOne(database);
}

class PoolOfOne implements PostgresPool {
  readonly #database: PGlite;
  #last: Promise<void> = Promise.resolve();

  constructor(database: PGlite) {
    this.#database = database;
  }

  /** Waits until whoever had the connection before has released it: transactions of two callers must not mix. */
  async connect(): Promise<PostgresPoolClient> {
    const before = this.#last;
    let free = (): void => undefined;
    this.#last = new Promise((resolve) => {
      free = resolve;
    });
    await before;
    return new OnlyConnection(this.#database, free);
  }

  async end(): Promise<void> {
    await this.#last;
    await this.#database.close();
  }
}

class OnlyConnection implements PostgresPoolClient {
  readonly #database: PGlite;
  readonly #free: () => void;

  constructor(database: PGlite, free: () => void) {
    this.#database = database;
    this.#free = free;
  }

  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    text: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof text !== 'string') throw new TypeError('The embedded database has no cursors');
    return this.#run<R>(text, parameters);
  }

  async #run<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    if (COPY_FROM_STDIN.test(text)) return this.#copy(text, String(parameters[0]));
    // A migration holds several statements, which only the simple protocol takes; it in turn takes no parameters.
    const result =
      parameters.length === 0
        ? (await this.#database.exec(text)).at(-1)
        : await this.#database.query<R>(text, [...parameters]);
    const rows = (result?.rows ?? []) as R[];
    // It does not say which command it was. Kysely asks only whether to believe the number of rows.
    return { command: 'UPDATE', rowCount: result?.affectedRows ?? rows.length, rows };
  }

  async #copy<R>(statement: string, rows: string): Promise<PostgresQueryResult<R>> {
    const blob = new Blob([rows]);
    const result = await this.#database.query(statement.replace('STDIN', "'/dev/blob'"), [], { blob });
    return { command: 'INSERT', rowCount: result.affectedRows ?? 0, rows: [] };
  }

  release(): void {
    this.#free();
  }
}
