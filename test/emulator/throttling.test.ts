import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Clock } from '../../emulator/clock.ts';
import { ResourceBudgets } from '../../emulator/graph/resource-budgets.ts';
import { Latency } from '../../emulator/latency.ts';
import {
  CLIENT_ID,
  startTestEmulator,
  type JsonObject,
  type TestEmulator,
  type TestGraph,
  type TestTenant,
} from './test-emulator.ts';

let emulator: TestEmulator;
let tenant: TestTenant;
let graph: TestGraph;

beforeAll(async () => {
  emulator = await startTestEmulator();
});

afterAll(() => emulator.close());

beforeEach(async () => {
  await emulator.control('POST', 'reset');
  tenant = await emulator.createConsentedTenant();
  graph = await emulator.graph(tenant.id);
});

const settings = (change: JsonObject) => emulator.control('PATCH', `tenants/${tenant.id}/settings`, change);
const limitApplication = (throttle: JsonObject | null) =>
  emulator.control('PUT', `registrations/${CLIENT_ID}`, { throttle });
const pass = (advanceMs: number) => emulator.control('POST', 'clock', { advanceMs });
const share = (response: Response) => Number(response.headers.get('x-ms-throttle-limit-percentage') ?? Number.NaN);

const retryAfter = (response: Response) => Number(response.headers.get('retry-after'));

/** A window so long that nothing comes back while a test runs: 20 units in 1,000 seconds. */
const TIGHT = { resourceUnits: 20, windowMs: 1_000_000 };

/** Spends units by requests that cost 2 each. */
async function spend(units: number, on = graph): Promise<Response[]> {
  const responses: Response[] = [];
  for (let spent = 0; spent < units; spent += 2) responses.push(await on.get('/users'));
  return responses;
}

describe('the budget of resource units', () => {
  it('is not kept unless it is set', async () => {
    const responses = await spend(80);
    expect(responses.map((response) => response.status)).toEqual(Array(40).fill(200));
    expect(responses.filter((response) => response.headers.has('x-ms-throttle-limit-percentage'))).toEqual([]);
  });

  it('tells how near its limit is above 0.8 of it alone', async () => {
    await settings({ throttle: TIGHT });
    const shares = (await spend(20)).map(share);
    expect(shares.slice(0, 8)).toEqual(Array(8).fill(Number.NaN));
    expect(shares[8]).toBeCloseTo(0.9, 2);
    expect(shares[9]).toBeCloseTo(1, 2);
    // Refusals of another kind tell it too.
    expect(share(await graph.get('/me'))).toBeGreaterThan(1);
  });

  it('answers 429 in the words of Microsoft beyond it', async () => {
    await settings({ throttle: TIGHT });
    await spend(22);
    const refused = await graph.get('/users', { 'client-request-id': 'e70c5c1b-8b47-68c0-3171-3d22f5e0bd54' });
    expect(refused.status).toBe(429);
    // 24 of 20 units are used: the wait is what 4 of them take, 50 seconds each.
    expect(retryAfter(refused)).toBeGreaterThan(190);
    expect(retryAfter(refused)).toBeLessThanOrEqual(201);
    expect(share(refused)).toBeCloseTo(1.2, 1);
    expect(refused.headers.get('x-ms-throttle-scope')).toBe(`Tenant_Application/ReadWrite/${CLIENT_ID}/${tenant.id}`);
    expect(refused.headers.get('x-ms-throttle-information')).toBe('ResourceUnitLimitExceeded');
    expect(await refused.json()).toEqual({
      error: {
        code: 'TooManyRequests',
        message: 'Too many requests',
        innerError: {
          date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
          'request-id': refused.headers.get('request-id'),
          'client-request-id': refused.headers.get('client-request-id'),
        },
      },
    });
  });

  it('is free again after the stated wait, and later for whoever does not wait', async () => {
    await settings({ throttle: TIGHT });
    const patient = (await spend(24)).at(-1);
    await pass(1000 * (patient ? retryAfter(patient) : 0));
    expect((await graph.get('/users')).status).toBe(200);
    const waits = (await spend(10)).filter((response) => response.status === 429).map(retryAfter);
    expect(waits.length).toBeGreaterThan(3);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    // Usage counts on to 1.8 of the limit and no further.
    expect(share((await spend(40)).at(-1) ?? new Response())).toBeCloseTo(1.8, 2);
  });

  it('refuses low priority first and high priority last', async () => {
    await settings({ throttle: { resourceUnits: 40, windowMs: 1_000_000 } });
    // Costs 1.
    const ask = async (priority: string): Promise<number> =>
      (await graph.get('/users?$select=id', { 'x-ms-throttle-priority': priority })).status;
    await spend(38);
    expect([await ask('Low'), await ask('normal')]).toEqual([429, 200]);
    await spend(2);
    expect([await ask('anything'), await ask('high')]).toEqual([429, 200]);
    await spend(2);
    expect(await ask('high')).toBe(429);
  });

  it('is one for each tenant, and another for the application in all of them', async () => {
    const other = await emulator.createConsentedTenant({ domain: 'other.com' });
    const otherGraph = await emulator.graph(other.id);
    await settings({ throttle: TIGHT });
    expect((await spend(24)).at(-1)?.status).toBe(429);
    expect((await otherGraph.get('/users')).status).toBe(200);
    await settings({ throttle: null });
    await limitApplication(TIGHT);
    expect((await spend(12)).at(-1)?.status).toBe(200);
    const refused = (await spend(12, otherGraph)).at(-1);
    expect(refused?.status).toBe(429);
    expect(refused?.headers.get('x-ms-throttle-scope')).toBe(`Application/ReadWrite/${CLIENT_ID}/${other.id}`);
    await limitApplication(null);
    expect((await otherGraph.get('/users')).status).toBe(200);
  });

  it.each([
    [49, 1.286],
    [50, 0.9],
    [500, 0.9],
    [501, undefined],
  ])('has the figure of Microsoft for the size of a tenant: %i users', (users, expected) => {
    const budgets = new ResourceBudgets(new Clock());
    const charge = { appId: 'a', tenantId: 't', users, units: 4_500, priority: undefined, applicationLimit: null };
    const told = budgets.charge({ ...charge, tenantLimit: {} })['x-ms-throttle-limit-percentage'];
    expect(told === undefined ? undefined : Number(told)).toBe(expected);
  });

  it('charges what Microsoft lists', async () => {
    const directory = await emulator.createConsentedTenant({ domain: 'costs.com' }, [
      'Directory.Read.All',
      'Application.Read.All',
    ]);
    const reader = await emulator.graph(directory.id);
    const [group] = await reader.all('/groups?$select=id&$top=1');
    const groupId = String(group?.['id']);
    const userId = directory.accounts[0]?.id ?? '';
    const costs: Record<string, number> = {
      '/users': 2,
      '/users?$select=id': 1,
      '/users?$select=id&$top=5': 1,
      '/users/delta': 2,
      '/groups': 1,
      [`/users/${userId}`]: 1,
      [`/users/${userId}/memberOf`]: 2,
      [`/users('${userId}')/transitiveMemberOf`]: 2,
      [`/groups/${groupId}/members`]: 3,
      [`/groups/${groupId}/members?$top=5`]: 2,
      [`/groups/${groupId}/transitiveMembers`]: 5,
      [`/servicePrincipals(appId='${CLIENT_ID}')/appRoleAssignments`]: 2,
      '/oauth2PermissionGrants': 2,
    };
    for (const [path, units] of Object.entries(costs)) {
      const response = await reader.get(path);
      expect([path, response.status, response.headers.get('x-ms-resource-unit')]).toEqual([path, 200, String(units)]);
    }
  });

  it('is refused as a setting where it makes no sense', async () => {
    await expect(settings({ throttle: { resourceUnits: 0 } })).rejects.toThrow('400');
    await expect(settings({ latencyMs: { min: 5, max: 4 } })).rejects.toThrow('min is above max');
  });
});

describe('latency', () => {
  it('comes before each answer of Graph about the tenant', async () => {
    await settings({ latencyMs: 2_000 });
    await graph.get('/users');
    await settings({ latencyMs: { min: 0, max: 0 } });
    await graph.get('/users');
    const { last } = await emulator.control('GET', 'requests?limit=2');
    const [slow, quick] = last as { durationMs: number }[];
    expect(slow?.durationMs).toBeGreaterThan(1_990);
    expect(quick?.durationMs).toBeLessThan(1_990);
  });

  it('lies in its range as the seed decides', () => {
    const draw = (seed: number): number[] => {
      const latency = new Latency({ min: 20, max: 30, seed });
      return Array.from({ length: 50 }, () => latency.nextMs());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(Math.min(...draw(7))).toBeGreaterThanOrEqual(20);
    expect(Math.max(...draw(7))).toBeLessThanOrEqual(30);
    expect(new Set(draw(7)).size).toBeGreaterThan(40);
  });
});
