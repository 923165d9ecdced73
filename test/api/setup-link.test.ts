import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { Visitor } from './support/browser.ts';
import { tenantRow } from './support/seed.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

interface Tenant {
  readonly id: string;
  readonly setupUrl: string;
}
const create = async (body: object = {}): Promise<Tenant> => (await api.call('POST', '/v1/tenants', { body })).body;
const open = (url: string) => api.call('GET', new URL(url).pathname, { key: null });
const renew = (id: string) => api.call('POST', `/v1/tenants/${id}/setup-link`);
const revoke = (id: string) => api.call('DELETE', `/v1/tenants/${id}/setup-link`);

describe('a set-up link', () => {
  test('is replaced by a renewed one at once', async () => {
    const { id, setupUrl } = await create();
    const renewed = await renew(id);
    expect(renewed.body.setupUrl).not.toBe(setupUrl);
    expect((await open(setupUrl)).status).toBe(404);
    expect((await open(`${setupUrl}/status`)).status).toBe(404);
    expect((await open(renewed.body.setupUrl)).status).toBe(200);
    expect((await api.call('GET', `/v1/tenants/${id}`)).body.setupUrl).toBe(renewed.body.setupUrl);
  });

  test('that is revoked leaves none until it is renewed', async () => {
    const { id, setupUrl } = await create();
    expect((await revoke(id)).body.setupUrl).toBeNull();
    expect((await open(setupUrl)).status).toBe(404);
    expect((await api.call('GET', `/v1/tenants/${id}`)).body.setupUrl).toBeNull();
    const { body } = await api.call('GET', `/v1/tenants/${id}/diagnostics`);
    expect(body.findings).toContainEqual(
      expect.objectContaining({ code: 'setup_link_revoked', who: 'product operator' }),
    );
    const renewed = await renew(id);
    expect((await open(renewed.body.setupUrl)).status).toBe(200);
    expect((await open(setupUrl)).status).toBe(404);
  });

  test('is not handed to readers', async () => {
    const { id } = await create();
    const { key } = (await api.call('POST', '/v1/api-keys', { body: { name: 'x', role: 'reader' } })).body;
    expect((await api.call('GET', `/v1/tenants/${id}`, { key })).body.setupUrl).toBeNull();
    expect((await api.call('GET', '/v1/tenants', { key })).text).not.toContain('/connect/');
  });

  test('is there for live tenants alone', async () => {
    expect(await renew('nobody')).toMatchObject({ status: 404 });
    const { id } = await create();
    await api.call('DELETE', `/v1/tenants/${id}`);
    expect([(await renew(id)).status, (await revoke(id)).status]).toEqual([409, 409]);
  });
});

describe.each([
  ['renewed', renew],
  ['revoked', revoke],
])('a consent that was begun by a link which was %s meanwhile', (_, replace) => {
  const told = { status: 410, text: expect.stringContaining('Your set-up link was taken back') };

  test('binds no directory, though it is the expected one, and is not handed the new link', async () => {
    const directory = randomUUID();
    const { id, setupUrl } = await create({ expectedEntraTenant: directory });
    const visitor = new Visitor(api);
    const { state } = await visitor.start(setupUrl);
    await replace(id);
    const answer = await visitor.callback({ admin_consent: 'True', tenant: directory, state });
    expect(answer).toMatchObject(told);
    expect(answer.text).not.toContain('/connect/');
    expect(await tenantRow(api.store, id)).toMatchObject({ entraTenantId: null, candidate: null });
  });

  test('is not proven, nor confirmed', async () => {
    const { id, setupUrl } = await create();
    const tid = randomUUID();
    const [proving, confirming] = [new Visitor(api), new Visitor(api)];
    const state = await proving.consentThenProve(setupUrl, tid);
    const other = await confirming.consentThenProve(setupUrl, tid);
    const asked = await confirming.asked(await confirming.callback({ code: api.graph.signIn({ tid }), state: other }));
    await replace(id);
    expect(await proving.callback({ code: api.graph.signIn({ tid }), state })).toMatchObject(told);
    expect(await confirming.submit(asked, '/consent/confirm')).toMatchObject(told);
    expect(await tenantRow(api.store, id)).toMatchObject({ entraTenantId: null, candidate: null });
  });
});
