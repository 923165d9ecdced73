import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';

export class Crash extends Error {
  override readonly name = 'Crash';
}

/** How a statement goes wrong: it never arrives, its answer never does, or the server ends the connection under it. */
export type Fault = 'before' | 'after' | 'kill';

/** A pool whose n-th statement from now can be made to fail, once. */
export class FaultyPool implements PostgresPool {
  readonly #pool: PostgresPool;
  #countdown = 0;
  #fault: Fault = 'before';
  #before: { readonly text: RegExp; readonly act: (client: PostgresPoolClient) => Promise<unknown> } | undefined;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  arm(statement: number, fault: Fault): void {
    this.#countdown = statement;
    this.#fault = fault;
  }

  /** Does something on the connection just before a statement like this, once. */
  before(text: RegExp, act: (client: PostgresPoolClient) => Promise<unknown>): void {
    this.#before = { text, act };
  }

  /** Whether it was still to come. */
  disarm(): boolean {
    const armed = this.#countdown > 0;
    this.#countdown = 0;
    return armed;
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#pool.connect();
    const run = async <R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> => {
      if (this.#before?.text.test(text.trim())) {
        const { act } = this.#before;
        this.#before = undefined;
        await act(client);
      }
      if (this.#countdown === 0 || --this.#countdown > 0) return client.query<R>(text, parameters);
      if (this.#fault === 'kill') await kill(client);
      // A rollback that never arrives is one that the server does itself: the connection is gone.
      if (this.#fault === 'after' || /^rollback$/i.test(text.trim())) await client.query<R>(text, parameters);
      // So is the transaction of a BEGIN whose answer got lost: nobody would end it here.
      if (this.#fault === 'after' && /^begin\b/i.test(text.trim())) await client.query<R>('rollback', []);
      throw new Crash(`${this.#fault} ${text.trim().slice(0, 40)}`);
    };
    function query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
    function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
    function query<R>(
      text: string | PostgresCursor<R>,
      parameters: readonly unknown[] = [],
    ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
      if (typeof text !== 'string') throw new TypeError('No cursors');
      return run<R>(text, parameters);
    }
    return { query, release: () => client.release() };
  }

  /** The pool belongs to someone else. */
  async end(): Promise<void> {}
}

/** Until the driver knows it: a dead connection that passes for a living one is another test's trouble. */
async function kill(client: PostgresPoolClient): Promise<void> {
  await client.query('SELECT pg_terminate_backend(pg_backend_pid())', []).catch(() => undefined);
  await client.query('SELECT 1', []).catch(() => undefined);
}
