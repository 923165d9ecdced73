import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { openDatabase } from '../../src/store/open.ts';
import { APPLICATION_NAME, openPostgres } from '../../src/store/postgres.ts';
import type { Database } from '../../src/store/schema.ts';
import { LONGEST_SILENCE_MS } from '../../src/store/session.ts';
import { type Backend, LOG } from './backend.ts';
import { FaultyPool } from './faults.ts';
import { boundTenant, object, openRound, runRound, toldAfter, U } from './rounds.ts';

/** A process that stands still holds nobody up for long: its machine sleeps, or is gone without a word to the server. */
export function stoppedSuite(databaseUrl: string, open: () => Promise<Backend>): void {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  }, 60_000);
  afterAll(() => backend.close());

  const faulty = () => {
    let pool: FaultyPool | undefined;
    const store = backend.through((inner) => (pool = new FaultyPool(inner)));
    if (!pool) throw new Error('No pool');
    return { store, pool };
  };

  const stopBefore = (pool: FaultyPool, text: RegExp) => {
    let wake = () => undefined as void;
    const stopped = new Promise<void>((resolve) => {
      pool.before(text, () => {
        resolve();
        return new Promise<void>((go) => (wake = go));
      });
    });
    return { stopped, wake: () => wake() };
  };

  /** As the server sees a process that was stopped while it sent the rows of a page, with its tenant's row locked. */
  const copyWithoutEnd = async (db: Database, no: number): Promise<void> => {
    const { rows } = await sql<{ name: string }>`SELECT current_database() AS name`.execute(db);
    const url = new URL(databaseUrl);
    url.pathname = `/${rows[0]?.name}`;
    const client = new pg.Client({ connectionString: url.href, application_name: APPLICATION_NAME });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM tenant WHERE no = $1 FOR UPDATE', [no]);
    const rowsIn = client.query(copyFrom('COPY round_mark FROM STDIN'));
    rowsIn.on('error', () => undefined);
    rowsIn.write(`${no}`);
  };

  describe('a process that was stopped', () => {
    test('with its page unfinished keeps neither its tenant nor the feed of all others', async () => {
      const { store } = backend;
      const { no } = await boundTenant(store);
      const { no: other } = await boundTenant(store);
      for (const tenant of [no, other]) await runRound(store, tenant, { users: [[object(U(1))]] });
      const cursor = await store.feed.head();
      const sleeper = faulty();
      const slice = await openRound(sleeper.store, no);
      const { stopped, wake } = stopBefore(sleeper.pool, /^commit/i);
      const page = { items: [object(U(2))], deltaLink: 'd' };
      const late = sleeper.store.sync.applyPages(slice.feeds.users.fence, [page]).catch(() => 'lost' as const);
      await stopped;

      await runRound(store, other, { users: [[object(U(3))]] });
      expect(await toldAfter(store, cursor, other)).toContain(`user.created ${U(3)}`);
      await runRound(store, no, { users: [[object(U(2))]] });
      wake();
      expect(await late).toBe('lost');
      const told = await toldAfter(store, cursor, no);
      expect(told.filter((line) => line === `user.created ${U(2)}`)).toHaveLength(1);
    });

    test('in the middle of a COPY loses its transaction, and one that works does not', async () => {
      const { store, db } = backend;
      const { no } = await boundTenant(store);
      await copyWithoutEnd(db, no);
      const locks = () => sql`SELECT 1 FROM tenant WHERE no = ${no} FOR UPDATE NOWAIT`.execute(db);
      await store.endStopped();
      await expect(locks()).rejects.toThrow('could not obtain lock');
      // The server may only now be coming to wait for rows.
      const isFree = () =>
        locks().then(
          () => true,
          () => false,
        );
      do await store.endStopped(0);
      while (!(await isFree()));
    });

    test('loses a lock on work that only one may do, and one that works long does not', async () => {
      const lock = randomUUID();
      const sleeper = faulty();
      const { stopped, wake } = stopBefore(sleeper.pool, /^SELECT 1$/);
      let finish = () => undefined as void;
      const work = new Promise<void>((resolve) => (finish = resolve));
      const lost = sleeper.store.exclusively(lock, () => work).catch(() => undefined);
      const other = randomUUID();
      const kept = backend.store.exclusively(other, () => work);
      await stopped;
      await new Promise((resolve) => setTimeout(resolve, LONGEST_SILENCE_MS + 2_000));
      const ran: string[] = [];
      await backend.store.exclusively(lock, async () => void ran.push('lost'));
      await backend.store.exclusively(other, async () => void ran.push('kept'));
      expect(ran).toEqual(['lost']);
      finish();
      wake();
      await Promise.all([lost, kept]);
    });
  });

  describe('a server that vanished without a word', () => {
    test('is waited for no longer than a statement may take, and the next statement goes to the one in its place', async () => {
      const { hostname, port } = new URL(databaseUrl);
      const sockets: Socket[] = [];
      let silent = false;
      const relay = createServer((inside) => {
        const outside = connect(Number(port), hostname);
        sockets.push(inside, outside);
        for (const socket of [inside, outside]) socket.on('error', () => undefined);
        const goes = !silent;
        inside.on('data', (chunk) => void ((goes && silent) || outside.write(chunk)));
        outside.on('data', (chunk) => void ((goes && silent) || inside.write(chunk)));
      });
      await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
      const url = new URL(databaseUrl);
      url.hostname = '127.0.0.1';
      url.port = String((relay.address() as AddressInfo).port);
      const db = openDatabase(openPostgres(url.href, 1, LOG, 1_000));
      try {
        await sql`SELECT 1`.execute(db);
        silent = true;
        await expect(sql`SELECT 2`.execute(db)).rejects.toThrow('terminated');
        await sql`SELECT 3`.execute(db);
        await expect(sql`SELECT pg_sleep(30)`.execute(db)).rejects.toThrow('statement timeout');
      } finally {
        await db.destroy();
        for (const socket of sockets) socket.destroy();
        relay.close();
      }
    });
  });
}
