import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_KEY, startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { group, idOf, round, user } from './support/seed.ts';
import { company, Person } from './support/sign-in-page.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
  for (const id of ['ours', 'theirs']) await api.call('POST', '/v1/tenants', { body: { id } });
  await round(api.store, 'ours', [user(1)], [group(11, [[1, 'user']])]);
  await round(api.store, 'theirs', [user(2)], []);
  await round(api.store, 'ours', [user(3)], []);
  await round(api.store, 'theirs', [user(4)], []);
});
afterAll(() => api.close());

interface Made {
  readonly id: string;
  readonly key: string;
}
async function make(body: Record<string, unknown>): Promise<Made> {
  const made = await api.call('POST', '/v1/api-keys', { body: { name: 'a test', ...body } });
  expect(made.status).toBe(201);
  return made.body;
}
const listed = async (id: string) =>
  (await api.call('GET', '/v1/api-keys')).body.data.find((key: { id: string }) => key.id === id);

describe('an API key', () => {
  test('is shown once, opens what its role allows, and stops at once when it is revoked', async () => {
    const { id, key } = await make({ name: 'nightly', role: 'reader' });
    expect(key).toMatch(/^es_[\w-]{43}$/);
    expect(await listed(id)).toEqual({
      ...{ id, name: 'nightly', role: 'reader', tenant: null },
      ...{ createdAt: expect.any(String), lastUsedAt: null, revokedAt: null },
    });
    expect((await api.call('GET', '/v1/tenants', { key })).body.data).toHaveLength(2);
    expect((await listed(id)).lastUsedAt).not.toBeNull();
    expect(await api.call('DELETE', `/v1/api-keys/${id}`)).toMatchObject({ status: 200, body: { id } });
    expect((await listed(id)).revokedAt).not.toBeNull();
    expect(await api.call('GET', '/v1/tenants', { key })).toMatchObject({ status: 401 });
    expect(await api.call('DELETE', `/v1/api-keys/${id}`)).toMatchObject({ status: 200 });
  });

  test('of a reader changes nothing, and is told why', async () => {
    const { key } = await make({ role: 'reader' });
    const refused = await api.call('POST', '/v1/tenants/ours/pause', { key });
    expect(refused).toMatchObject({ status: 403, body: { type: '/problems/key-not-allowed' } });
    expect(refused.body.detail).toContain('reader');
    for (const [method, path] of [
      ['GET', '/v1/api-keys'],
      ['POST', '/v1/api-keys'],
      ['DELETE', '/v1/tenants/ours'],
    ] as const) {
      expect([path, (await api.call(method, path, { key })).status]).toEqual([path, 403]);
    }
    const question = { userId: idOf(1), groups: [idOf(11)] };
    expect(await api.call('POST', '/v1/tenants/ours/access/check', { key, body: question })).toMatchObject({
      status: 200,
    });
  });

  test('of a second administrator may make and revoke keys', async () => {
    const { key } = await make({ role: 'administrator' });
    const made = await api.call('POST', '/v1/api-keys', { key, body: { name: 'third', role: 'reader' } });
    expect(made.status).toBe(201);
    expect(await api.call('DELETE', `/v1/api-keys/${made.body.id}`, { key })).toMatchObject({ status: 200 });
  });

  test('is refused where the request has faults, or there is no such tenant or key', async () => {
    for (const body of [{}, { name: 'x' }, { name: '', role: 'reader' }, { name: 'x', role: 'god' }]) {
      expect(await api.call('POST', '/v1/api-keys', { body })).toMatchObject({ status: 400 });
    }
    const nobody = { name: 'x', role: 'reader', tenant: 'nobody' };
    expect(await api.call('POST', '/v1/api-keys', { body: nobody })).toMatchObject({
      status: 404,
      body: { type: '/problems/tenant-not-found' },
    });
    for (const id of ['nothing', 'key_0123456789ab', 'bootstrap']) {
      expect(await api.call('DELETE', `/v1/api-keys/${id}`)).toMatchObject({
        status: 404,
        body: { type: '/problems/api-key-not-found' },
      });
    }
  });

  test('never stands in the database or in a log line', async () => {
    const { key } = await make({ role: 'reader' });
    await api.call('GET', '/v1/tenants', { key });
    await api.call('GET', '/v1/tenants', { key: `${key.slice(0, -1)}_` });
    expect(api.logged.join('\n')).not.toContain(key.slice(0, -1));
    const rows = JSON.stringify((await api.store.apiKeys.list(undefined, 100)).data);
    expect(rows).not.toContain(key);
  });

  test('that cannot be looked for is not refused, but asked to come again; the one of the environment needs no database', async () => {
    const use = () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
    const away = await startApi({ wrapStore: (store) => ({ ...store, apiKeys: { ...store.apiKeys, use } }) });
    try {
      const refused = await away.call('GET', '/v1/tenants', { key: `es_${'x'.repeat(43)}` });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
      expect((await away.call('GET', '/v1/tenants')).status).toBe(200);
    } finally {
      await away.close();
    }
  });

  test('of the environment goes on working, and is none that could be revoked', async () => {
    expect((await api.call('GET', '/v1/tenants', { key: API_KEY })).status).toBe(200);
    expect((await api.call('GET', '/v1/api-keys')).text).not.toContain('bootstrap');
  });
});

describe('a key of one tenant', () => {
  test('is answered for another tenant as for one that is not there', async () => {
    const { key } = await make({ role: 'administrator', tenant: 'ours' });
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'Taken over' }],
      ['DELETE', '', undefined],
      ['GET', '/users', undefined],
      ['POST', '/reconcile', undefined],
      ['GET', '/users?cursor=!', undefined],
      ['POST', '/access/check', { userId: idOf(2) }],
    ] as const) {
      const [hidden, none] = await Promise.all(
        ['theirs', 'nobody'].map((id) => api.call(method, `/v1/tenants/${id}${path}`, { key, body })),
      );
      expect([hidden?.status, { ...hidden?.body, instance: '' }]).toEqual([
        none?.status,
        { ...none?.body, instance: '' },
      ]);
      expect([method, path, hidden?.status]).toEqual([method, path, 404]);
    }
    expect((await api.call('GET', '/v1/tenants/theirs')).body).toMatchObject({ name: null, deletingAt: null });
  });

  test('lists its tenant alone, and reads its events alone', async () => {
    const { key } = await make({ role: 'reader', tenant: 'ours' });
    const tenants = (await api.call('GET', '/v1/tenants', { key })).body.data;
    expect(tenants.map(({ id }: { id: string }) => id)).toEqual(['ours']);
    const headers = { Accept: 'application/x-ndjson' };
    const lines = (await api.call('GET', '/v1/tenants', { key, headers })).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(['ours']);
    const all = (await api.call('GET', '/v1/events')).body.data;
    const events = (await api.call('GET', '/v1/events', { key })).body.data;
    expect(new Set(events.map((event: { tenant: string }) => event.tenant))).toEqual(new Set(['ours']));
    expect(events).toEqual(all.filter((event: { tenant: string }) => event.tenant === 'ours'));
    expect(events.length).toBeGreaterThan(0);
    expect(await api.call('GET', '/v1/events?tenant=ours', { key })).toMatchObject({ body: { data: events } });
    expect(await api.call('GET', '/v1/events?tenant=theirs', { key })).toMatchObject({
      status: 404,
      body: { type: '/problems/tenant-not-found' },
    });
  });

  test('makes no tenants and no keys, though it administers its own', async () => {
    const { key } = await make({ role: 'administrator', tenant: 'ours' });
    expect(await api.call('PATCH', '/v1/tenants/ours', { key, body: { name: 'Ours' } })).toMatchObject({ status: 200 });
    for (const [method, path] of [
      ['POST', '/v1/tenants'],
      ['POST', '/v1/api-keys'],
      ['GET', '/v1/api-keys'],
    ] as const) {
      const refused = await api.call(method, path, { key, body: method === 'POST' ? {} : undefined });
      expect(refused).toMatchObject({ status: 403, body: { type: '/problems/key-not-allowed' } });
      expect(refused.body.detail).toContain('of the tenant ours alone');
    }
  });

  test('cannot vouch for a directory, which may be that of another tenant', async () => {
    const { key } = await make({ role: 'administrator', tenant: 'ours' });
    const theirs = (await api.call('GET', '/v1/tenants/theirs')).body.entraTenantId;
    for (const body of [{ expectedEntraTenant: theirs }, { sharedDirectory: true }, { requireApproval: false }]) {
      expect(await api.call('PATCH', '/v1/tenants/ours', { key, body })).toMatchObject({
        status: 403,
        body: { type: '/problems/key-not-allowed' },
      });
      expect(await api.call('PATCH', '/v1/tenants/theirs', { key, body })).toMatchObject({ status: 404 });
    }
    expect(await api.call('POST', '/v1/tenants/ours/approve', { key })).toMatchObject({ status: 403 });
    expect((await api.call('GET', '/v1/tenants/ours')).body).toMatchObject({
      ...{ expectedEntraTenant: null, sharedDirectory: false, requireApproval: false },
    });
  });

  test("neither exchanges nor uses up another tenant's sign-in code", async () => {
    const [mine, other] = [await company(api), await company(api)];
    const { key } = await make({ role: 'reader', tenant: mine.id });
    const code = await new Person(api).code(other);
    expect(await api.call('POST', '/v1/signin/exchange', { key, body: { code } })).toMatchObject({
      status: 400,
      body: { type: '/problems/invalid-sign-in-code' },
    });
    expect(await api.call('POST', '/v1/signin/exchange', { body: { code } })).toMatchObject({ status: 200 });
    const own = await new Person(api).code(mine);
    expect(await api.call('POST', '/v1/signin/exchange', { key, body: { code: own } })).toMatchObject({ status: 200 });
  });

  test('ends with its tenant', async () => {
    await api.call('POST', '/v1/tenants', { body: { id: 'short' } });
    const { id, key } = await make({ role: 'reader', tenant: 'short' });
    const row = await api.store.tenants.byId('short');
    await api.store.tenants.purge(row?.no ?? 0, () => undefined);
    await api.call('POST', '/v1/tenants', { body: { id: 'short' } });
    expect(await api.call('GET', '/v1/tenants/short', { key })).toMatchObject({ status: 401 });
    expect(await listed(id)).toBeUndefined();
  });
});
