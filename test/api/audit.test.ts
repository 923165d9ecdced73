import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { Visitor } from './support/browser.ts';
import { idOf } from './support/seed.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

interface Entry {
  readonly id: string;
  readonly action: string;
  readonly tenant: string | null;
  readonly actor: { readonly kind: string };
}
const entriesOf = async (tenant: string): Promise<readonly Entry[]> =>
  (await api.call('GET', `/v1/audit?tenant=${tenant}`)).body.data;
const create = async (body: object = {}) => (await api.call('POST', '/v1/tenants', { body })).body;

describe('the audit log', () => {
  test('says who did what to which tenant, from where and by which request', async () => {
    const { id } = await create();
    const made = await api.call('POST', '/v1/api-keys', { body: { name: 'ops', role: 'administrator' } });
    const paused = await api.call('POST', `/v1/tenants/${id}/pause`, { key: made.body.key });
    const shared = { tenant: id, subject: null, address: '127.0.0.1', at: expect.any(String), id: expect.any(String) };
    expect(await entriesOf(id)).toEqual([
      {
        ...shared,
        actor: { kind: 'key', keyId: made.body.id, keyName: 'ops' },
        action: 'POST /v1/tenants/{id}/pause',
        requestId: paused.headers.get('x-request-id'),
        status: 202,
      },
      {
        ...shared,
        actor: { kind: 'key', keyId: 'bootstrap', keyName: 'API_KEY' },
        action: 'POST /v1/tenants',
        requestId: expect.any(String),
        status: 201,
      },
    ]);
    const [latest] = (await api.call('GET', '/v1/audit?limit=2')).body.data.slice(1);
    expect(latest).toMatchObject({ action: 'POST /v1/api-keys', subject: made.body.id, tenant: null, status: 201 });
  });

  test('has what came to nothing, with its status, and nothing that only asked', async () => {
    const { id } = await create();
    await api.call('POST', `/v1/tenants/${id}/approve`);
    await api.call('GET', `/v1/tenants/${id}`);
    await api.call('POST', `/v1/tenants/${id}/access/check`, { body: { userId: idOf(1) } });
    await api.call('POST', `/v1/tenants/${id}/approve`, { key: 'wrong' });
    await api.call('PATCH', `/v1/tenants/${id}`, { body: { name: 7 } });
    expect(await entriesOf(id)).toMatchObject([
      { action: 'POST /v1/tenants/{id}/approve', status: 409 },
      { action: 'POST /v1/tenants', status: 201 },
    ]);
  });

  test('has consents that came to a decision, by a visitor', async () => {
    const directory = randomUUID();
    const vouched = await create({ expectedEntraTenant: directory });
    const visitor = new Visitor(api);
    const { state } = await visitor.start(vouched.setupUrl);
    await visitor.callback({ admin_consent: 'True', tenant: directory, state });
    expect((await entriesOf(vouched.id))[0]).toMatchObject({
      actor: { kind: 'visitor', keyId: null, keyName: null },
      ...{ action: 'GET /consent/callback', address: '127.0.0.1', status: 303 },
    });
    await visitor.callback({ admin_consent: 'True', tenant: directory, state: 'forged' });
    const before = (await api.call('GET', '/v1/audit')).body.data;
    expect(before.filter(({ actor }: Entry) => actor.kind === 'visitor')).toHaveLength(1);
  });

  test('is written before the deed: one that breaks off is known', async () => {
    const { id } = await create();
    let seen: unknown;
    const broken = await startApi({
      wrapStore: (store) => ({
        ...store,
        tenants: {
          ...store.tenants,
          create: async () => {
            seen = (await store.audit.list(undefined, 1)).data;
            throw new Error('broken');
          },
        },
      }),
    });
    try {
      expect(await broken.call('POST', '/v1/tenants', { body: { id } })).toMatchObject({ status: 500 });
      expect(seen).toMatchObject([{ action: 'POST /v1/tenants', tenant: id, status: null }]);
      expect((await broken.store.audit.list(undefined, 1)).data).toMatchObject([{ status: 500 }]);
    } finally {
      await broken.close();
    }
  });

  test('names no person, and no path', async () => {
    const { id } = await create({ name: 'Canary Name' });
    await api.call('PATCH', `/v1/tenants/${id}`, { body: { name: 'Canary Two', groupsToSync: ['Canary Group'] } });
    await api.call('DELETE', `/v1/tenants/${id}/users/${idOf(7)}/data`);
    const { text } = await api.call('GET', `/v1/audit?tenant=${id}`);
    expect(text).not.toMatch(/canary/i);
    expect(text).not.toContain(idOf(7));
  });

  test('is read in pages, the latest first, or as lines', async () => {
    const pages: Entry[] = [];
    let cursor: string | null = null;
    do {
      const query = cursor === null ? '' : `&cursor=${cursor}`;
      const page: { data: Entry[]; nextCursor: string | null } = (await api.call('GET', `/v1/audit?limit=3${query}`))
        .body;
      pages.push(...page.data);
      cursor = page.nextCursor;
    } while (cursor !== null);
    const ids = pages.map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    const lines = await api.call('GET', '/v1/audit', { headers: { Accept: 'application/x-ndjson' } });
    expect(lines.text.trim().split('\n')).toEqual(pages.map((entry) => JSON.stringify(entry)));
    expect(await api.call('GET', '/v1/audit?cursor=eA')).toMatchObject({ status: 400 });
  });

  test('outlives a purge without saying whence', async () => {
    const { id } = await create({ id: 'gone-soon' });
    const row = await api.store.tenants.byId(id);
    await api.call('DELETE', `/v1/tenants/${id}`);
    await api.store.tenants.purge(row?.no ?? 0, () => undefined);
    expect(await entriesOf(id)).toMatchObject([
      { action: 'DELETE /v1/tenants/{id}', address: null, status: 202 },
      { action: 'POST /v1/tenants', address: null, status: 201 },
    ]);
  });
});
