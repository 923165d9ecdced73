import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { noticeRestore } from '../../src/store/identity.ts';
import type { Store } from '../../src/store/store.ts';
import type { Backend } from './backend.ts';
import { boundTenant, eventsAfter, object, openRound, runRound, U } from './rounds.ts';

const splitCursor = (cursor: string) => {
  const [epoch = '', position = ''] = cursor.split('-');
  return { epoch, position: Number(position) };
};

/** A tenant that has been imported, so that its changes are told. */
async function importedTenant(store: Store): Promise<number> {
  const { no } = await boundTenant(store);
  await runRound(store, no);
  return no;
}

/** The order of events, and what a cursor is worth. */
export function feedSuite(backend: () => Backend): void {
  const store = () => backend().store;

  describe('the feed', () => {
    test('is read in pages, and its cursor comes to the head', async () => {
      const no = await importedTenant(store());
      const cursor = await store().feed.head();
      await runRound(store(), no, { users: [[1, 2, 3].map((n) => object(U(n)))] });
      const first = await store().feed.read(cursor, 2);
      if (first === 'expired') throw new Error('Expired');
      expect(first.events.map((event) => event.subject.id)).toEqual([U(1), U(2)]);
      expect(first.events.map((event) => event.id).at(-1)).toBe(first.cursor);
      const second = await store().feed.read(first.cursor, 10);
      if (second === 'expired') throw new Error('Expired');
      expect(second.events.map((event) => event.type)).toEqual(['user.created', 'sync.completed']);
      expect(second.cursor).toBe(await store().feed.head());
      expect(await store().feed.read(second.cursor, 10)).toEqual({ events: [], cursor: second.cursor });
    });

    test('of one tenant skips the others, and comes to the head as well', async () => {
      const [one, two] = [await importedTenant(store()), await importedTenant(store())];
      const cursor = await store().feed.head();
      await runRound(store(), one, { users: [[object(U(1))]] });
      await runRound(store(), two, { users: [[object(U(2))]] });
      const page = await store().feed.read(cursor, 10, one);
      if (page === 'expired') throw new Error('Expired');
      expect(page.events.map((event) => event.subject.id).slice(0, 1)).toEqual([U(1)]);
      expect(page.events).toHaveLength(2);
      expect(page.cursor).toBe(await store().feed.head());
    });

    test('refuses a cursor of another epoch, below the floor, beyond the head, or none at all', async () => {
      await importedTenant(store());
      const { epoch, position } = splitCursor(await store().feed.head());
      expect(await store().feed.read(`${Number(epoch) + 1}-${position}`, 1)).toBe('expired');
      expect(await store().feed.read(`${epoch}-${position + 1}`, 1)).toBe('expired');
      expect(await store().feed.read('nonsense', 1)).toBe('expired');
      await sql`UPDATE feed SET floor = 1`.execute(backend().db);
      expect(await store().feed.read(`${epoch}-0`, 1)).toBe('expired');
      expect(await store().feed.read(`${epoch}-1`, 1)).toHaveProperty('events');
      const fromFloor = await store().feed.read(undefined, 1);
      expect(fromFloor).toHaveProperty('cursor', `${epoch}-2`);
      await sql`UPDATE feed SET floor = 0`.execute(backend().db);
    });

    test('begins a new epoch when the database is another one than before, and keeps the ids of events', async () => {
      const no = await importedTenant(store());
      await noticeRestore(backend().db);
      const cursor = await store().feed.head();
      const all = async () => {
        const page = await store().feed.read(undefined, 1000, no);
        return page === 'expired' ? [] : page.events.map((event) => event.id);
      };
      const before = await all();
      expect(await noticeRestore(backend().db)).toBe(false);
      expect(await store().feed.head()).toBe(cursor);
      await sql`UPDATE feed SET database_identity = 'another'`.execute(backend().db);
      const told = await noticeRestore(backend().db);
      expect(await store().feed.read(cursor, 1)).toEqual(told ? 'expired' : expect.anything());
      expect(await all()).toEqual(before);
    });

    test('hands out positions without gaps, in the order of commits, under eight writers', async () => {
      const tenants = await Promise.all(Array.from({ length: 8 }, () => importedTenant(store())));
      const cursor = await store().feed.head();
      let reading = true;
      const seen: string[] = [];
      const reader = (async () => {
        for (let after = cursor; ;) {
          const last = !reading;
          const page = await store().feed.read(after, 7);
          if (page === 'expired') throw new Error('Expired');
          seen.push(...page.events.map((event) => event.id));
          after = page.cursor;
          if (last && page.events.length === 0) return;
        }
      })();
      await Promise.all(
        tenants.map(async (no, index) => {
          const slice = await openRound(store(), no);
          for (let n = 0; n < 12; n++) {
            const items = [object(U(n)), object(U(n + 1), { displayName: `${index} ${n}` })];
            await store().sync.applyPages(slice.feeds.users.fence, [{ items, nextLink: `${n}` }]);
          }
        }),
      );
      reading = false;
      await reader;
      const positions = seen.map((id) => splitCursor(id).position);
      const start = splitCursor(cursor).position;
      expect(positions).toEqual(positions.map((_, index) => start + index + 1));
      expect(seen).toEqual((await eventsAfter(store(), cursor)).map((event) => event.id));
      expect(splitCursor(await store().feed.head()).position).toBe(start + seen.length);
    });
  });

  describe('the store', () => {
    test('runs a piece of work for one caller at a time', async () => {
      let runs = 0;
      let begin = () => undefined as void;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      let finish = () => undefined as void;
      const first = store().exclusively('sweep', () => {
        runs++;
        begin();
        return new Promise((resolve) => (finish = resolve));
      });
      await begun;
      await store().exclusively('sweep', async () => void runs++);
      expect(runs).toBe(1);
      await store().exclusively('other', async () => void runs++);
      expect(runs).toBe(2);
      finish();
      await first;
      await store().exclusively('sweep', async () => void runs++);
      expect(runs).toBe(3);
      await expect(store().ping()).resolves.toBeUndefined();
    });
  });
}
