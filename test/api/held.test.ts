import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { group, idOf, round, tenantRow, user } from './support/seed.ts';

const LINES = { Accept: 'application/x-ndjson' };
const NONE = { count: 0, percent: 0 };

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const get = (path: string, headers: Record<string, string> = {}) => api.call('GET', path, { headers });

describe('thresholds of the guard', () => {
  test('are those that are usual, unless a tenant is made or changed to have its own', async () => {
    const usual = (await api.call('POST', '/v1/tenants', { body: { id: 'usual' } })).body;
    expect(usual.guard).toEqual({
      users: { count: 20, percent: 10 },
      groups: { count: 20, percent: 10 },
      memberships: { count: 100, percent: 20 },
    });
    const own = { users: { count: 5, percent: 50 } };
    const { body } = await api.call('POST', '/v1/tenants', { body: { id: 'own', guard: own } });
    expect(body.guard).toEqual({ ...usual.guard, ...own });
    const groups = { count: 1, percent: 1 };
    const changed = await api.call('PATCH', '/v1/tenants/own', { body: { guard: { groups } } });
    expect(changed).toMatchObject({ status: 200, body: { guard: { ...usual.guard, ...own, groups } } });
    expect((await api.call('PATCH', '/v1/tenants/own', { body: { name: 'Own' } })).body.guard).toEqual(
      changed.body.guard,
    );
  });

  test.each([
    [{ users: { count: 1 } }, '/guard/users/percent'],
    [{ users: { count: -1, percent: 1 } }, '/guard/users/count'],
    [{ users: { count: 1, percent: 101 } }, '/guard/users/percent'],
    [{ users: { count: 1.5, percent: 1 } }, '/guard/users/count'],
    [{ devices: NONE }, '/guard/devices'],
  ])('are refused where they are none: %j', async (guard, pointer) => {
    const { status, body } = await api.call('POST', '/v1/tenants', { body: { guard } });
    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });
});

describe('held removals', () => {
  test('are none in a tenant where nothing is held, and nothing can be decided', async () => {
    await api.call('POST', '/v1/tenants', { body: { id: 'calm' } });
    expect((await get('/v1/tenants/calm/held')).body).toMatchObject({
      held: false,
      since: null,
      counts: { users: 0, groups: 0, memberships: 0, disables: 0 },
      exceeded: [],
      sample: null,
    });
    expect((await get('/v1/tenants/calm/held?kind=users')).body).toEqual({ data: [], nextCursor: null });
    for (const what of ['approve', 'reject']) {
      expect(await api.call('POST', `/v1/tenants/calm/held/${what}`)).toMatchObject({
        status: 409,
        body: { type: '/problems/nothing-held' },
      });
    }
    expect((await get('/v1/tenants/nobody/held')).status).toBe(404);
    expect((await api.call('POST', '/v1/tenants/nobody/held/approve')).status).toBe(404);
  });

  test('are counted and named page by page, and decided by a person', async () => {
    const guard = { users: NONE, groups: NONE, memberships: NONE };
    await api.call('POST', '/v1/tenants', { body: { id: 'busy', guard } });
    const people = [user(1, { userPrincipalName: 'one@example.com' }), user(2), user(3), user(4)];
    const members = (...numbers: number[]) =>
      group(
        11,
        numbers.map((n) => [n, 'user'] as const),
      );
    await round(api.store, 'busy', people, [members(1, 2, 3), group(12)]);
    await round(
      api.store,
      'busy',
      [
        { kind: 'removed', id: idOf(1), reason: 'changed' },
        { kind: 'removed', id: idOf(2), reason: 'deleted' },
        user(3, { accountEnabled: false }),
      ],
      [{ kind: 'removed', id: idOf(12), reason: 'changed' }],
    );
    expect((await get('/v1/tenants/busy/held')).body).toEqual({
      held: true,
      since: expect.any(String),
      counts: { users: 2, groups: 1, memberships: 2, disables: 1 },
      exceeded: ['users', 'groups'],
      sample: null,
      guard,
    });
    const first = (await get('/v1/tenants/busy/held?kind=users&limit=1')).body;
    expect(first.data).toEqual([
      { id: idOf(1), displayName: 'User 1', userPrincipalName: 'one@example.com', reason: 'changed' },
    ]);
    const second = (await get(`/v1/tenants/busy/held?kind=users&limit=1&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ data: [{ id: idOf(2), reason: 'deleted' }], nextCursor: null });
    expect((await get('/v1/tenants/busy/held?kind=disables')).body.data).toMatchObject([
      { id: idOf(3), reason: 'disabled' },
    ]);
    expect((await get('/v1/tenants/busy/held?kind=groups')).body.data).toMatchObject([
      { id: idOf(12), displayName: 'Group 12' },
    ]);
    const page = (await get('/v1/tenants/busy/held?kind=memberships&limit=1')).body;
    expect(page.data).toEqual([
      { id: `${idOf(11)}:${idOf(1)}`, displayName: 'Group 11', userPrincipalName: null, reason: 'member_removed' },
    ]);
    expect((await get(`/v1/tenants/busy/held?kind=memberships&cursor=${page.nextCursor}`)).body.data).toHaveLength(1);
    const lines = (await get('/v1/tenants/busy/held?kind=memberships', LINES)).text.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect((await get(`/v1/tenants/busy/held?kind=users&cursor=${page.nextCursor}`)).status).toBe(400);
    expect((await get(`/v1/tenants/busy/held?cursor=${first.nextCursor}`)).status).toBe(400);
    expect((await get('/v1/tenants/busy/held?kind=devices')).status).toBe(400);

    for (const what of ['approve', 'reject']) {
      expect((await api.call('POST', `/v1/tenants/busy/held/${what}`)).status).toBe(202);
      expect(api.delivered.at(-1)).toMatchObject({ kind: `${what}_held`, tenantId: 'busy' });
    }
    await api.store.held.approve((await tenantRow(api.store, 'busy')).no, () => undefined);
    expect((await get('/v1/tenants/busy/held')).body.held).toBe(false);
    expect((await get('/v1/tenants/busy')).body.counts).toEqual({ users: 2, groups: 1, memberships: 1 });
  });
});
