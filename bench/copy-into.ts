import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams';
import { COPIED, SECONDARY_INDEXES, TABLES, type Table } from './copy-rows.ts';

/** Fresh tables that take rows in COPY's text format. */
export interface CopyTarget {
  copy(table: Table, text: string): Promise<void>;
  /** Resolves when everything is committed. */
  commit(): Promise<void>;
  count(table: Table): Promise<number>;
  close(): Promise<void>;
}

/** One COPY a table, each on a connection of its own, so that the server works on them side by side. */
export async function copyIntoPostgres(connectionString: string): Promise<CopyTarget> {
  const pool = new pg.Pool({ connectionString, max: TABLES.length });
  const { rows } = await pool.query<{ name: string }>(SECONDARY_INDEXES);
  for (const { name } of rows) await pool.query(`DROP INDEX ${name}`);
  const streams = new Map<Table, CopyStreamQuery>();
  const clients: pg.PoolClient[] = [];
  for (const table of TABLES) {
    const client = await pool.connect();
    clients.push(client);
    streams.set(table, client.query(copyFrom(`COPY ${table} (${COPIED[table].join(', ')}) FROM STDIN`)));
  }
  return {
    async copy(table, text) {
      const stream = streams.get(table);
      if (stream?.write(text) === false) await once(stream, 'drain');
    },
    async commit() {
      await Promise.all(
        Array.from(streams.values(), (stream) => {
          stream.end();
          return finished(stream);
        }),
      );
      for (const client of clients) client.release();
    },
    async count(table) {
      const counted = await pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`);
      return Number(counted.rows[0]?.n);
    },
    close: () => pool.end(),
  };
}

/** A COPY has a price of its own in the embedded database: this much text goes into one. */
const BATCH_CHARACTERS = 1 << 20;

export async function copyIntoPglite(folder: string): Promise<CopyTarget> {
  const database = await PGlite.create({ dataDir: folder });
  const { rows } = await database.query<{ name: string }>(SECONDARY_INDEXES);
  for (const { name } of rows) await database.exec(`DROP INDEX ${name}`);
  const gathered = new Map<Table, string>();
  const flush = async (table: Table, text: string) => {
    gathered.delete(table);
    const statement = `COPY ${table} (${COPIED[table].join(', ')}) FROM '/dev/blob'`;
    await database.query(statement, [], { blob: new Blob([text]) });
  };
  await database.exec('BEGIN');
  return {
    async copy(table, text) {
      const all = (gathered.get(table) ?? '') + text;
      gathered.set(table, all);
      if (all.length >= BATCH_CHARACTERS) await flush(table, all);
    },
    async commit() {
      for (const [table, text] of gathered) if (text !== '') await flush(table, text);
      await database.exec('COMMIT');
    },
    async count(table) {
      const counted = await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
      return counted.rows[0]?.n ?? 0;
    },
    close: () => database.close(),
  };
}
