import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
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

const plant = (rule: JsonObject): Promise<JsonObject> => emulator.control('POST', 'faults', rule);
const status = (code: number, more: JsonObject = {}): JsonObject => ({ kind: 'status', status: code, ...more });

describe('injected faults', () => {
  it('throttle the next two requests with the headers of Graph', async () => {
    await plant({ path: '^/v1.0/users', times: 2, fault: status(429, { retryAfter: 7 }) });
    const response = await graph.get('/users');
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('x-ms-throttle-scope')).toContain(`/${tenant.id}`);
    expect(await response.json()).toMatchObject({
      error: { code: 'TooManyRequests', innerError: { 'request-id': expect.any(String) } },
    });
    expect((await graph.get('/users')).status).toBe(429);
    expect((await graph.get('/users')).status).toBe(200);
  });

  it('write Retry-After as a date, or not at all', async () => {
    await plant({ times: 1, fault: status(429, { retryAfter: 'date', retryAfterSeconds: 5 }) });
    expect(Date.parse(String((await graph.get('/users')).headers.get('retry-after')))).toBeGreaterThan(Date.now());
    await plant({ times: 1, fault: status(503) });
    expect((await graph.get('/users')).headers.get('retry-after')).toBeNull();
  });

  it('answer with the page of a gateway or with nothing', async () => {
    await plant({ times: 1, fault: status(502, { body: 'html' }) });
    const page = await graph.get('/users');
    expect(page.headers.get('content-type')).toBe('text/html');
    expect(await page.text()).toContain('<html>');
    await plant({ times: 1, fault: status(504, { body: 'empty' }) });
    expect(await (await graph.get('/users')).text()).toBe('');
  });

  it('reset the connection', async () => {
    await plant({ times: 1, fault: { kind: 'reset' } });
    await expect(graph.get('/users')).rejects.toThrow('fetch failed');
    expect((await graph.get('/users')).status).toBe(200);
  });

  it('cut a body short, give it a wrong type or empty its page', async () => {
    await plant({ times: 1, fault: { kind: 'truncate' } });
    const cut = await graph.get('/users');
    expect(cut.status).toBe(200);
    await expect(cut.json()).rejects.toThrow('JSON');
    await plant({ times: 1, fault: { kind: 'contentType' } });
    expect((await graph.get('/users')).headers.get('content-type')).toContain('text/html');
    await plant({ times: 1, fault: { kind: 'emptyResult' } });
    expect((await graph.page('/users')).value).toEqual([]);
  });

  it('lead paging in a circle', async () => {
    await emulator.control('PATCH', `tenants/${tenant.id}/settings`, { delta: { usersPageSize: 5 } });
    await plant({ path: '/users/delta$', fault: { kind: 'sameLink' } });
    const first = await graph.page('/users/delta?$select=id');
    const next = String(first['@odata.nextLink']);
    expect(next).toBe(`${emulator.url}/v1.0/users/delta?$select=id`);
    expect('@odata.deltaLink' in (await graph.page(next))).toBe(false);
  });

  it('delay an answer', async () => {
    await plant({ times: 1, fault: { kind: 'latency', ms: 80 } });
    const started = performance.now();
    await graph.get('/users');
    expect(performance.now() - started).toBeGreaterThan(75);
  });

  it('strike one tenant, let some requests pass, and strike with a probability that a seed decides', async () => {
    const other = await emulator.createConsentedTenant({ domain: 'other.com' });
    await plant({ tenant: other.id, fault: status(500) });
    expect((await graph.get('/users')).status).toBe(200);
    expect((await (await emulator.graph(tenant.id)).get('/users')).status).toBe(200);
    await emulator.control('DELETE', 'faults');
    await plant({ path: '/users$', skip: 2, times: 1, fault: status(500) });
    const statuses = async (n: number): Promise<number[]> => {
      const seen: number[] = [];
      for (let i = 0; i < n; i += 1) seen.push((await graph.get('/users')).status);
      return seen;
    };
    expect(await statuses(4)).toEqual([200, 200, 500, 200]);
    await emulator.control('DELETE', 'faults');
    await plant({ probability: 0.5, seed: 4, fault: status(500) });
    const first = await statuses(12);
    await emulator.control('DELETE', 'faults');
    await plant({ probability: 0.5, seed: 4, fault: status(500) });
    expect(await statuses(12)).toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 500]));
  });

  it('strike the sign-in side in its own shape', async () => {
    await plant({ path: '/oauth2/v2.0/token$', times: 1, fault: status(503, { retryAfter: 3 }) });
    const response = await emulator.requestToken(tenant.id);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable', error_codes: [90033] });
  });
});
