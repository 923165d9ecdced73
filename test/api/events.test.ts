import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { API_KEY, startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { idOf, round, user } from './support/seed.ts';

let api: ApiUnderTest;
let reads = 0;
beforeAll(async () => {
  api = await startApi({ wrapStore: countReads });
  for (const id of ['one', 'two']) {
    await api.call('POST', '/v1/tenants', { body: { id } });
    await round(api.store, id, [user(1)], []);
  }
});
afterAll(() => api.close());

const countReads = (store: Store): Store => ({
  ...store,
  feed: {
    ...store.feed,
    read: (...args) => {
      reads++;
      return store.feed.read(...args);
    },
  },
});
const events = (query: string) => api.call('GET', `/v1/events${query}`);
const typesOf = (body: { data: { type: string }[] }) => body.data.map(({ type }) => type);

describe('the feed', () => {
  test('goes through everything from the oldest event on, never skipping one', async () => {
    const all = (await events('?limit=1000')).body;
    const seen: unknown[] = [];
    let page = (await events('?limit=2')).body;
    while (page.data.length > 0) {
      seen.push(...page.data);
      page = (await events(`?limit=2&after=${page.cursor}`)).body;
    }
    expect(seen).toEqual(all.data);
    expect(page.cursor).toBe(all.cursor);
    expect(typesOf(all).filter((type) => type === 'sync.completed')).toHaveLength(2);
  });

  test('shows the whole state after a change, and what changed', async () => {
    const cursor = await api.store.feed.head();
    await round(api.store, 'one', [user(1, { jobTitle: 'Engineer' })], []);
    const { body } = await events(`?after=${cursor}&tenant=one`);
    expect(body.data[0]).toMatchObject({
      tenant: 'one',
      type: 'user.updated',
      subject: { kind: 'user', id: idOf(1) },
      data: { id: idOf(1), displayName: 'User 1', jobTitle: 'Engineer', department: null },
      changed: { jobTitle: [null, 'Engineer'] },
      reason: 'directory',
    });
  });

  test('is read for one tenant alone', async () => {
    const { body } = await events('?tenant=two&limit=1000');
    expect(new Set(body.data.map((event: { tenant: string }) => event.tenant))).toEqual(new Set(['two']));
    expect(await events('?tenant=three')).toMatchObject({ status: 404, body: { type: '/problems/tenant-not-found' } });
  });

  test.each(['x', '1', '-1', '1-', '1-2-3', '1-%00', "1-'", '1-99999999999999999999'])(
    'refuses the cursor %s',
    async (after) => {
      expect(await events(`?after=${after}`)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/after' }] } });
    },
  );

  test('says that a cursor of another life of the database, or of the future, is expired', async () => {
    const [epoch, position] = (await api.store.feed.head()).split('-').map(Number);
    for (const after of [`${Number(epoch) + 1}-1`, `${epoch}-${Number(position) + 1}`]) {
      expect(await events(`?after=${after}`)).toMatchObject({
        status: 410,
        body: { type: '/problems/cursor-expired' },
      });
    }
  });

  test.each(['?limit=0', '?limit=1001', '?wait=31', '?wait=-1', '?wait=1.5', '?since=1'])(
    'refuses %s',
    async (query) => {
      expect((await events(query)).status).toBe(400);
    },
  );
});

describe('a long poll', () => {
  test('ends as soon as something happens', async () => {
    const cursor = await api.store.feed.head();
    const startedAt = Date.now();
    const poll = events(`?after=${cursor}&wait=30`);
    await sleep(400);
    await round(api.store, 'two', [user(2)], []);
    const { body } = await poll;
    expect(Date.now() - startedAt).toBeLessThan(25_000);
    expect(body.data.length).toBeGreaterThan(0);
  });

  test('ends when the time is up, with a cursor to go on from', async () => {
    const cursor = await api.store.feed.head();
    const startedAt = Date.now();
    expect((await events(`?after=${cursor}&wait=1`)).body).toEqual({ data: [], cursor });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(950);
  });

  test('ends when the client is gone', async () => {
    const cursor = await api.store.feed.head();
    const call = request(`${api.base}/v1/events?after=${cursor}&wait=30`, {
      headers: { Authorization: `Bearer ${API_KEY}` },
    });
    call.on('error', () => undefined).end();
    await sleep(600);
    call.destroy();
    const goneAt = Date.now();
    // A look every quarter of a second, until the server hears of it.
    for (let before = -1; before !== reads; await sleep(1_000)) before = reads;
    expect(Date.now() - goneAt).toBeLessThan(25_000);
  });
});
