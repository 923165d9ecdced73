import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { API_KEY, startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { group, idOf, recordPhase, round, tenantRow, user } from './support/seed.ts';

const LINES = { Accept: 'application/x-ndjson' };
const USERS = 2500;
/** Set by a test: reading users fails from this page on. */
let failFromPage = Infinity;
let pagesRead = 0;
/** Set by a test: the list of users has no end. */
let endless = false;

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi({ wrapStore: countPages });
  await api.call('POST', '/v1/tenants', { body: { id: 'small' } });
  await round(
    api.store,
    'small',
    [
      user(1, { mail: 'one@example.com', proxyAddresses: ['SMTP:one@example.com'] }),
      user(2, { accountEnabled: false }),
      user(3),
    ],
    // 1 is in 11, which is in 12, which is in 13, which is in 12 again.
    [
      group(11, [
        [1, 'user'],
        [2, 'user'],
      ]),
      group(12, [
        [11, 'group'],
        [13, 'group'],
      ]),
      group(13, [
        [12, 'group'],
        [3, 'user'],
      ]),
    ],
  );
  await api.call('POST', '/v1/tenants', { body: { id: 'large' } });
  const many = Array.from({ length: USERS }, (_, n) => user(n + 100, { jobTitle: 'x'.repeat(2000) }));
  await round(api.store, 'large', many, []);
});
afterAll(() => api.close());

function countPages(store: Store): Store {
  return {
    ...store,
    directory: {
      ...store.directory,
      users: async (...args) => {
        if (++pagesRead >= failFromPage) throw new Error('The database went away');
        const page = await store.directory.users(...args);
        return endless ? { ...page, next: page.data[0]?.id ?? null } : page;
      },
    },
  };
}

const get = (path: string, headers: Record<string, string> = {}) => api.call('GET', path, { headers });
const rowsOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('lists', () => {
  test("show people under Graph's names, null where something was never set", async () => {
    const { body } = await get('/v1/tenants/small/users?limit=1');
    expect(body.data[0]).toMatchObject({
      id: idOf(1),
      displayName: 'User 1',
      mail: 'one@example.com',
      proxyAddresses: ['SMTP:one@example.com'],
      accountEnabled: true,
      otherMails: null,
      createdDateTime: null,
    });
    expect(Object.keys(body.data[0])).toHaveLength(21);
    expect(body.nextCursor).toEqual(expect.any(String));
  });

  test('go through groups and memberships page by page', async () => {
    for (const [path, total] of [
      ['groups', 3],
      ['memberships', 6],
      ['users', 3],
    ] as const) {
      const rows: unknown[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const { body } = await get(`/v1/tenants/small/${path}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
        rows.push(...body.data);
        cursor = body.nextCursor;
      }
      expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(total);
      expect(rowsOf((await get(`/v1/tenants/small/${path}`, LINES)).text)).toEqual(rows);
    }
  });

  test('follow nested groups when asked to, and end in spite of a cycle', async () => {
    const ids = async (path: string) => (await get(path)).body.data.map((row: { id: string }) => row.id);
    expect(await ids(`/v1/tenants/small/users/${idOf(1)}/groups`)).toEqual([idOf(11)]);
    expect(await ids(`/v1/tenants/small/users/${idOf(1)}/groups?transitive=true`)).toEqual([
      idOf(11),
      idOf(12),
      idOf(13),
    ]);
    expect(await ids(`/v1/tenants/small/groups/${idOf(12)}/members`)).toEqual([idOf(11), idOf(13)]);
    expect(await ids(`/v1/tenants/small/groups/${idOf(12)}/members?transitive=true`)).toEqual([
      idOf(1),
      idOf(2),
      idOf(3),
      idOf(11),
      idOf(13),
    ]);
    const { body } = await get(`/v1/tenants/small/groups/${idOf(11)}/members`);
    expect(body.data[0]).toEqual({ id: idOf(1), memberType: 'user', displayName: 'User 1' });
  });

  test('say which person or group is not there', async () => {
    expect(await get(`/v1/tenants/small/users/${idOf(99)}/groups`)).toMatchObject({
      status: 404,
      body: { type: '/problems/user-not-found' },
    });
    expect(await get(`/v1/tenants/small/groups/${idOf(99)}/members`)).toMatchObject({
      status: 404,
      body: { type: '/problems/group-not-found' },
    });
    expect(await get('/v1/tenants/small/users/someone/groups')).toMatchObject({
      status: 400,
      body: { errors: [{ in: 'path', pointer: '/userId' }] },
    });
    expect(await get(`/v1/tenants/small/users/${idOf(1)}/groups?transitive=yes`)).toMatchObject({ status: 400 });
  });

  test.each(['users', 'groups', 'memberships'])('of %s refuse what is no cursor of theirs', async (path) => {
    for (const key of ['x', `${idOf(1)}:x`, `${idOf(1)}'--`, '']) {
      const cursor = Buffer.from(key).toString('base64url') || '%20';
      expect(await get(`/v1/tenants/small/${path}?cursor=${cursor}`)).toMatchObject({ status: 400 });
    }
  });
});

describe('a stream', () => {
  test('tells the cursor that was read before its first row, and all rows', async () => {
    const head = await api.store.feed.head();
    const streamed = await get('/v1/tenants/large/users', LINES);
    expect(streamed.headers.get('content-type')).toBe('application/x-ndjson');
    expect(streamed.headers.get('entra-sync-cursor')).toBe(head);
    expect(rowsOf(streamed.text)).toHaveLength(USERS);
    expect(await get(`/v1/events?after=${head}`)).toMatchObject({ status: 200, body: { data: [] } });
  });

  test('takes no cursor', async () => {
    expect(await get('/v1/tenants/large/users?cursor=abc', LINES)).toMatchObject({ status: 400 });
  });

  test('breaks the connection where a later page cannot be read', async () => {
    pagesRead = 0;
    failFromPage = 3;
    try {
      const response = await fetch(`${api.base}/v1/tenants/large/users`, {
        headers: { ...LINES, Authorization: `Bearer ${API_KEY}` },
      });
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow('terminated');
    } finally {
      failFromPage = Infinity;
    }
  });

  test('answers with a problem where not even the first page can be read', async () => {
    pagesRead = 0;
    failFromPage = 1;
    try {
      expect(await get('/v1/tenants/large/users', LINES)).toMatchObject({
        status: 500,
        body: { type: '/problems/internal' },
      });
    } finally {
      failFromPage = Infinity;
    }
  });

  test('reads no further than the client does, and stops when the client goes', async () => {
    endless = true;
    pagesRead = 0;
    const headers = { ...LINES, Authorization: `Bearer ${API_KEY}` };
    const call = request(`${api.base}/v1/tenants/large/users`, { headers });
    const paused = new Promise<void>((resolve, reject) => {
      call.on('error', reject).on('response', (response) => {
        response.pause();
        resolve();
      });
    });
    call.end();
    await paused;
    // Until what the sockets take unread is full, at 2 MB a page.
    let settled = -1;
    while (settled !== pagesRead) {
      settled = pagesRead;
      await sleep(1_500);
    }
    expect(pagesRead).toBeLessThan(20);
    call.destroy();
    await sleep(500);
    expect(pagesRead).toBeLessThanOrEqual(settled + 1);
    endless = false;
  });
});

describe('an access check', () => {
  const check = (body: unknown, id = 'small') => api.call('POST', `/v1/tenants/${id}/access/check`, { body });

  test('allows a member of all groups with all attributes, and shows the way', async () => {
    const { body } = await check({
      userId: idOf(1).toUpperCase(),
      groups: [idOf(11), idOf(13)],
      attributes: { mail: 'one@example.com', proxyAddresses: 'SMTP:one@example.com', department: null },
    });
    expect(body).toMatchObject({
      allowed: true,
      reason: null,
      groups: [
        { groupId: idOf(11), member: true, path: [idOf(11)] },
        { groupId: idOf(13), member: true, path: [idOf(11), idOf(12), idOf(13)] },
      ],
      attributes: [{ ok: true }, { ok: true }, { name: 'department', expected: null, actual: null, ok: true }],
    });
    expect(body.asOf).toBe((await tenantRow(api.store, 'small')).asOf);
    expect(body.ageSeconds).toBeGreaterThanOrEqual(0);
  });

  test.each([
    ['unknown_user', { userId: idOf(77), groups: [idOf(11)] }],
    ['unknown_user', { userId: idOf(77) }],
    ['user_disabled', { userId: idOf(2), groups: [idOf(11)] }],
    ['not_member', { userId: idOf(3), groups: [idOf(13), idOf(11)] }],
    ['attribute_differs', { userId: idOf(1), attributes: { mail: 'two@example.com' } }],
  ])('refuses for the reason %s', async (reason, question) => {
    expect((await check(question)).body).toMatchObject({ allowed: false, reason });
  });

  test('refuses everyone until the first sync is complete', async () => {
    await api.call('POST', '/v1/tenants', { body: { id: 'empty' } });
    expect((await check({ userId: idOf(1) }, 'empty')).body).toMatchObject({
      allowed: false,
      reason: 'not_synced',
      asOf: null,
      ageSeconds: null,
    });
  });

  test('refuses a person who was soft-deleted', async () => {
    await api.call('POST', '/v1/tenants', { body: { id: 'leaving' } });
    await round(api.store, 'leaving', [user(1)], []);
    expect((await check({ userId: idOf(1) }, 'leaving')).body.allowed).toBe(true);
    await round(api.store, 'leaving', [{ kind: 'removed', id: idOf(1), reason: 'changed' }], []);
    expect((await check({ userId: idOf(1) }, 'leaving')).body).toMatchObject({
      allowed: false,
      reason: 'unknown_user',
    });
  });

  test('tells every fault of the question', async () => {
    const { status, body } = await check({ userId: 'x', groups: ['y'], attributes: { shoeSize: '44' }, group: [] });
    expect(status).toBe(400);
    expect(body.errors.map((error: { pointer: string }) => error.pointer).toSorted()).toEqual([
      '/attributes/shoeSize',
      '/group',
      '/groups/0',
      '/userId',
    ]);
  });
});

describe('diagnostics of a tenant that syncs', () => {
  test('tell how fresh the mirror is', async () => {
    await recordPhase(api.store, 'small', { phase: 'delta_sync' });
    const { body } = await get('/v1/tenants/small/diagnostics');
    expect(body.findings.filter(({ level }: { level: string }) => level !== 'ok')).toEqual([]);
    expect(body.findings.map(({ code }: { code: string }) => code)).toEqual(
      expect.arrayContaining(['consent', 'freshness', 'reconcile']),
    );
    const dueOf = (findings: readonly { code: string; evidence: { dueAt: string } }[]) =>
      Date.parse(findings.find(({ code }) => code === 'reconcile')?.evidence.dueAt ?? '');
    expect(dueOf(body.findings)).toBeGreaterThan(Date.now());
    expect((await api.call('POST', '/v1/tenants/small/reconcile')).status).toBe(202);
    const { body: after } = await get('/v1/tenants/small/diagnostics');
    expect(dueOf(after.findings)).toBeLessThanOrEqual(Date.now());
    const none = { missing: 0, extra: 0, different: 0 };
    expect((await get('/v1/tenants/small')).body.reconcile).toMatchObject({
      comparing: false,
      completedAt: null,
      drift: 0,
      driftByKind: { user: none, group: none, membership: none },
    });
  });
});
