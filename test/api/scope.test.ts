import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { round, user } from './support/seed.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

let counter = 0;
async function create(body: Record<string, unknown> = {}): Promise<string> {
  const { body: tenant } = await api.call('POST', '/v1/tenants', { body: { id: `scope-${++counter}`, ...body } });
  return tenant.id;
}

const EXTENSION = `extension_${'0123456789abcdef'.repeat(2)}_costCenter`;

describe('attributes of the tenant’s own choice', () => {
  test('are kept beside the defaults, and changed one by one', async () => {
    const id = await create({ scope: { userAttributes: ['manager', 'manager', 'displayName', EXTENSION] } });
    const { body } = await api.call('GET', `/v1/tenants/${id}`);
    expect(body.scope).toMatchObject({ userAttributes: ['manager', EXTENSION], groupAttributes: [] });
    const changed = await api.call('PATCH', `/v1/tenants/${id}`, {
      body: { scope: { groupAttributes: ['membershipRule'] } },
    });
    expect(changed.body.scope).toMatchObject({
      userAttributes: ['manager', EXTENSION],
      groupAttributes: ['membershipRule'],
    });
  });

  test('that delta query does not know, or that need more permissions, are refused by their place', async () => {
    const wrong = ['aboutMe', 'signInActivity', 'Manager', 'extension_12_x', 'membershipRule'];
    const refused = await api.call('POST', '/v1/tenants', { body: { scope: { userAttributes: ['city', ...wrong] } } });
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual(
      wrong.map((_, index) => `/scope/userAttributes/${index + 1}`),
    );
  });

  test('stand in the lists, null where they were never set', async () => {
    const id = await create({ scope: { userAttributes: ['city', 'manager'] } });
    await round(api.store, id, [user(1, { city: 'Oslo' })], []);
    const { body } = await api.call('GET', `/v1/tenants/${id}/users`);
    expect(body.data).toMatchObject([{ displayName: 'User 1', city: 'Oslo', manager: null }]);
  });
});
