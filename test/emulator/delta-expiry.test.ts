import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestEmulator, type TestEmulator, type TestGraph, type TestTenant } from './test-emulator.ts';

const DAY_MS = 86_400_000;

let emulator: TestEmulator;
let tenant: TestTenant;
let graph: TestGraph;

beforeAll(async () => {
  emulator = await startTestEmulator();
  tenant = await emulator.createConsentedTenant({ users: 12, settings: { delta: { usersPageSize: 5 } } });
  graph = await emulator.graph(tenant.id);
});

afterAll(() => emulator.close());

const deltaLink = async (resource = 'users'): Promise<string> =>
  (await graph.round(`/${resource}/delta?$select=id`)).deltaLink;
const expire = (body: object): Promise<unknown> => emulator.control('POST', `tenants/${tenant.id}/expire-tokens`, body);

describe('delta tokens that are of no use any more', () => {
  it.each([
    ['a', 410, 'resyncRequired'],
    ['b', 400, 'syncStateNotFound'],
    ['c', 400, 'Request_UnsupportedQuery'],
    ['d', 410, 'SyncStateNotFound'],
    ['e', 400, 'Request_BadRequest'],
    ['f', 400, 'Directory_ExpiredPageToken'],
  ])('expire by command in shape %s: %d %s', async (shape, status, code) => {
    const link = await deltaLink();
    await expire({ shape });
    expect(await graph.refusal(link)).toMatchObject({ status, code });
    expect((await graph.get(await deltaLink())).status).toBe(200);
  });

  it('name the address of a new round in shape a', async () => {
    const link = await deltaLink();
    await expire({ shape: 'a' });
    const response = await graph.get(link);
    const location = String(response.headers.get('location'));
    expect(location).toMatch(/\/v1\.0\/users\/delta\?\$deltatoken=$/);
    expect((await graph.round(location)).objects).toHaveLength(12);
  });

  it('expire after seven days on the clock of the emulator, and not before', async () => {
    const link = await deltaLink();
    await emulator.control('POST', 'clock', { advanceMs: 6.9 * DAY_MS });
    graph = await emulator.graph(tenant.id);
    expect((await graph.get(link)).status).toBe(200);
    await emulator.control('POST', 'clock', { advanceMs: 0.2 * DAY_MS });
    graph = await emulator.graph(tenant.id);
    expect(await graph.refusal(link)).toMatchObject({ status: 400, code: 'syncStateNotFound' });
    await emulator.control('PATCH', `tenants/${tenant.id}/settings`, { delta: { expiryShape: 'c' } });
    expect(await graph.refusal(link)).toMatchObject({ code: 'Request_UnsupportedQuery' });
  });

  it('expire for one resource without the other', async () => {
    const [users, groups] = [await deltaLink('users'), await deltaLink('groups')];
    await expire({ resource: 'groups', shape: 'a' });
    expect((await graph.get(users)).status).toBe(200);
    expect((await graph.get(groups)).status).toBe(410);
  });

  it('expire in the middle of paging', async () => {
    const first = await graph.page('/users/delta?$select=id');
    await expire({ scope: 'page', shape: 'f' });
    expect(await graph.refusal(String(first['@odata.nextLink']))).toMatchObject({ code: 'Directory_ExpiredPageToken' });
  });

  it('are refused for another tenant, another resource and when edited', async () => {
    const link = await deltaLink();
    const other = await emulator.createConsentedTenant({ domain: 'other.com' });
    expect(await (await emulator.graph(other.id)).refusal(link)).toMatchObject({
      status: 400,
      code: 'Request_BadRequest',
    });
    expect(await graph.refusal(link.replace('/users/', '/groups/'))).toMatchObject({ status: 400 });
    expect(await graph.refusal(`${link.slice(0, -2)}xx`)).toMatchObject({ status: 400 });
    expect(await graph.refusal(link.replace('deltatoken', 'skiptoken'))).toMatchObject({ status: 400 });
  });
});
