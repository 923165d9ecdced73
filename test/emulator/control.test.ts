import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLIENT_ID, startTestEmulator, type JsonObject, type TestEmulator } from './test-emulator.ts';

let emulator: TestEmulator;

beforeAll(async () => {
  emulator = await startTestEmulator({ tenants: [{ domain: 'given.com', users: 10 }] });
});

afterAll(() => emulator.close());

const truth = async (id: string): Promise<Record<string, JsonObject[]>> =>
  (await emulator.control('GET', `tenants/${id}/truth`)) as Record<string, JsonObject[]>;

describe('the control API', () => {
  it('makes a directory of the size asked for, with every kind of member, guest, disabled user and ring of groups', async () => {
    const spec = {
      domain: 'sized.com',
      users: 500,
      groups: 50,
      memberships: 2500,
      guests: 0.1,
      disabled: 0.1,
      nestedCycles: 3,
      devices: 20,
    };
    const tenant = await emulator.createTenant(spec);
    const { users = [], groups = [], memberships = [] } = await truth(tenant.id);
    expect([users.length, groups.length, memberships.length]).toEqual([500, 50, 2500]);
    expect(new Set(memberships.map((m) => m['memberType']))).toEqual(
      new Set(['user', 'group', 'device', 'servicePrincipal', 'orgContact']),
    );
    expect(users.filter((user) => user['userType'] === 'Guest').length).toBeGreaterThan(20);
    expect(users.filter((user) => user['accountEnabled'] === false).length).toBeGreaterThan(20);
    const text = JSON.stringify(users);
    for (const script of [
      /\p{Script=Cyrillic}/u,
      /\p{Script=Greek}/u,
      /\p{Script=Arabic}/u,
      /\p{Script=Hebrew}/u,
      /\p{Script=Han}/u,
      /\p{Script=Hangul}/u,
      /\p{Script=Devanagari}/u,
      /\p{Emoji_Presentation}/u,
      /<script>/,
    ]) {
      expect(text).toMatch(script);
    }
    const nested = new Map(
      memberships.filter((m) => m['memberType'] === 'group').map((m) => [m['groupId'], m['memberId']]),
    );
    const start = groups[0]?.['id'];
    expect(nested.has(start)).toBe(true);
  });

  it('makes the same directory from the same seed, and another from another', async () => {
    const make = async (domain: string, seed: number): Promise<unknown> => {
      const tenant = await emulator.createTenant({ domain, seed });
      const made = await truth(tenant.id);
      await emulator.control('DELETE', `tenants/${tenant.id}`);
      return made;
    };
    expect(await make('seeded.com', 5)).toEqual(await make('seeded.com', 5));
    expect(await make('seeded.com', 5)).not.toEqual(await make('seeded.com', 6));
  });

  it('streams the truth as lines that say the same as the object', async () => {
    const tenant = await emulator.createTenant({ domain: 'lines.com' });
    await emulator.control('POST', `tenants/${tenant.id}/mutate`, { count: 30, seed: 2 });
    const response = await fetch(`${emulator.url}/_emulator/tenants/${tenant.id}/truth`, {
      headers: { Accept: 'application/x-ndjson' },
    });
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; data: JsonObject });
    const whole = await truth(tenant.id);
    for (const kind of ['user', 'group', 'membership', 'deletedUser', 'deletedGroup', 'hiddenMembership']) {
      expect(lines.filter((line) => line.kind === kind).map((line) => line.data)).toEqual(whole[`${kind}s`]);
    }
  });

  it('hides the memberships of a soft-deleted user and shows them again after its restoration', async () => {
    const tenant = await emulator.createTenant({ domain: 'hidden.com' });
    const [before] = (await truth(tenant.id))['memberships']?.filter((m) => m['memberType'] === 'user') ?? [];
    const user = String(before?.['memberId']);
    await emulator.control('DELETE', `tenants/${tenant.id}/users/${user}`);
    const hidden = await truth(tenant.id);
    expect(hidden['memberships']).not.toContainEqual(before);
    expect(hidden['hiddenMemberships']).toContainEqual(before);
    expect(hidden['deletedUsers']?.map((each) => each['id'])).toEqual([user]);
    await emulator.control('POST', `tenants/${tenant.id}/users/${user}/restore`);
    expect((await truth(tenant.id))['memberships']).toContainEqual(before);
  });

  it('reports what a batch of random changes did, the same for the same seed', async () => {
    const tenants = [await emulator.createTenant({ domain: 'batch.com', seed: 1 })];
    const mutate = async (): Promise<unknown> =>
      (await emulator.control('POST', `tenants/${tenants[0]?.id}/mutate`, { count: 40, seed: 9 }))['done'];
    const first = await mutate();
    await emulator.control('DELETE', `tenants/${tenants[0]?.id}`);
    tenants[0] = await emulator.createTenant({ domain: 'batch.com', seed: 1 });
    expect(await mutate()).toEqual(first);
    expect(first).toHaveLength(40);
  });

  it('counts requests by tenant and route without keeping tokens', async () => {
    await emulator.control('DELETE', 'requests');
    const tenant = await emulator.createConsentedTenant({ domain: 'counted.com' });
    const graph = await emulator.graph(tenant.id);
    await graph.get('/users?$top=1');
    await graph.get('/users?$top=1');
    const { link } = { link: (await graph.round('/users/delta?$select=id')).deltaLink };
    await graph.get(link);
    const log = await emulator.control('GET', 'requests');
    expect(log['counts']).toMatchObject({
      [tenant.id]: { 'GET /v1.0/users 200': 2, 'GET /v1.0/users/delta 200': 2, 'POST /{id}/oauth2/v2.0/token 200': 1 },
    });
    expect(JSON.stringify(log)).not.toContain('deltatoken');
    expect(JSON.stringify(log)).not.toContain(graph.token.slice(0, 40));
  });

  it('registers applications with secrets and redirect URIs of their own', async () => {
    const clientId = 'aaaaaaaa-1111-4111-8111-111111111111';
    await emulator.control('PUT', `registrations/${clientId}`, {
      displayName: 'Other',
      secrets: [{ value: 's' }],
      redirectUris: ['https://a.example/cb'],
    });
    const tenant = await emulator.createTenant({ domain: 'registered.com' });
    await emulator.control('POST', `tenants/${tenant.id}/app/consent`, { clientId, permissions: ['User.Read.All'] });
    const response = await emulator.requestToken(tenant.id, { client_id: clientId, client_secret: 's' });
    expect(response.status).toBe(200);
    expect(await (await emulator.requestToken(tenant.id)).json()).toMatchObject({ error_codes: [7000229] });
  });

  it('tells apart what it does not know, what is malformed and what does not fit', async () => {
    await expect(emulator.control('GET', 'nothing')).rejects.toThrow('404');
    await expect(emulator.control('POST', 'tenants', { users: 3 })).rejects.toThrow('400');
    await expect(emulator.control('POST', 'tenants', { domain: 'given.com' })).rejects.toThrow('409');
    await expect(emulator.control('POST', 'faults', { fault: { kind: 'earthquake' } })).rejects.toThrow('400');
  });

  it('goes back to what it was started with', async () => {
    await emulator.control('POST', 'clock', { advanceMs: 1_000_000_000 });
    const state = await emulator.control('POST', 'reset');
    const domains = (state['tenants'] as JsonObject[]).map((tenant) => tenant['domain']);
    expect(domains).toEqual(['given.com']);
    expect((state['registrations'] as JsonObject[]).map((each) => each['clientId'])).toEqual([CLIENT_ID]);
    expect(Math.abs(Date.parse(String(state['now'])) - Date.now())).toBeLessThan(10_000);
  });
});
