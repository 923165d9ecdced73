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

describe('the preview of another scope', () => {
  test('is of a connected directory alone, and checks its body as a change does', async () => {
    const id = await create();
    const preview = (body: unknown) => api.call('POST', `/v1/tenants/${id}/scope/preview`, { body });
    expect(await preview({ groupsToSync: ['Sales'] })).toMatchObject({ status: 409 });
    expect(await preview({ scope: { guests: 'no' } })).toMatchObject({ status: 400 });
  });

  test('counts and names who leaves, and says that Microsoft gave no answer where it gave none', async () => {
    const id = await create({ groupsToSync: [] });
    await round(api.store, id, [user(1), user(2, { userType: 'Guest' })], []);
    const preview = (body: unknown) => api.call('POST', `/v1/tenants/${id}/scope/preview`, { body });
    api.graph.token = { kind: 'token', accessToken: 'T', expiresAt: Date.now() + 60_000, roles: [] };
    const { status, body } = await preview({ scope: { guests: false } });
    expect([status, body.complete, body.users.enter.count, body.users.leave.count]).toEqual([200, true, 0, 1]);
    expect(body.users.leave.sample).toMatchObject([{ displayName: 'User 2' }]);
    expect(await preview({ groupsToSync: ['Sales'] })).toMatchObject({ status: 503 });
    expect((await api.call('GET', `/v1/tenants/${id}`)).body.scope.guests).toBe(true);
  });
});
