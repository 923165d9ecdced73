import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LONGEST_COPY_MS, LONGEST_SILENCE_MS } from '../../src/store/session.ts';
import type { Backend } from './backend.ts';
import { FaultyPool } from './faults.ts';
import { boundTenant, object, openRound, runRound, toldAfter, U } from './rounds.ts';

/** A process that stands still holds nobody up for long: its machine sleeps, or is gone without a word to the server. */
export function stoppedSuite(open: () => Promise<Backend>): void {
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
      const late = sleeper.store.sync.applyPage(slice.feeds.users.fence, page).catch(() => 'lost' as const);
      await stopped;

      await runRound(store, other, { users: [[object(U(3))]] });
      expect(await toldAfter(store, cursor, other)).toContain(`user.created ${U(3)}`);
      await runRound(store, no, { users: [[object(U(2))]] });
      wake();
      expect(await late).toBe('lost');
      const told = await toldAfter(store, cursor, no);
      expect(told.filter((line) => line === `user.created ${U(2)}`)).toHaveLength(1);
    });

    test('in the middle of a COPY is given up after a minute', async () => {
      const { store, pool } = faulty();
      const { no } = await boundTenant(store);
      let shown: unknown;
      pool.before(/^COPY/, async (client) => {
        const { rows } = await client.query<Record<string, string>>('SHOW statement_timeout', []);
        shown = rows[0]?.['statement_timeout'];
      });
      await runRound(store, no, { users: [[object(U(1))]] });
      expect(shown).toBe(`${LONGEST_COPY_MS / 60_000}min`);
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
}
