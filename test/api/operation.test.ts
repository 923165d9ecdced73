import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';

let api: ApiUnderTest;
let ok = true;
beforeAll(async () => {
  api = await startApi({ ready: async () => ({ ok, checks: { database: ok ? 'ok' : 'not reached yet' } }) });
});
afterAll(() => api.close());

describe('the API key', () => {
  test.each([
    [null, 'Bearer'],
    ['wrong', 'Bearer error="invalid_token"'],
    ['the-key-of-the-testS', 'Bearer error="invalid_token"'],
  ])('is asked for on every route under /v1, and nothing is told without it: %s', async (key, challenge) => {
    for (const [route, methods] of Object.entries(api.declared.document.paths)) {
      if (!route.startsWith('/v1')) continue;
      for (const method of Object.keys(methods)) {
        const refused = await api.call(method.toUpperCase(), route.replaceAll(/[{}]/g, ''), { key });
        expect([route, refused.status]).toEqual([route, 401]);
        expect(refused.body.type).toBe('/problems/unauthorized');
        expect(refused.headers.get('www-authenticate')).toBe(challenge);
      }
    }
  });

  test('is not taken from elsewhere', async () => {
    for (const headers of [
      { Authorization: 'Basic abc' },
      { Authorization: 'the-key-of-the-tests' },
      { 'X-Api-Key': 'a' },
    ]) {
      expect((await api.call('GET', '/v1/tenants', { key: null, headers })).status).toBe(401);
    }
    expect((await api.call('GET', '/v1/tenants?key=the-key-of-the-tests', { key: null })).status).toBe(401);
  });
});

describe('a request that leads nowhere', () => {
  test('gets a problem where there is no route', async () => {
    for (const path of ['/', '/v1', '/v2/tenants', '/v1/tenants/a/b/c', '/v1/webhooks', '/connect']) {
      const { status, body, headers } = await api.call('GET', path);
      expect([path, status, body.type]).toEqual([path, 404, '/problems/not-found']);
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(body.instance).toBe(`urn:uuid:${headers.get('x-request-id')}`);
    }
  });

  test('is told which methods there are', async () => {
    const refused = await api.call('PUT', '/v1/tenants');
    expect(refused).toMatchObject({ status: 405, body: { type: '/problems/method-not-allowed' } });
    expect(refused.headers.get('allow')).toBe('POST, GET, HEAD');
    expect((await api.call('DELETE', '/healthz')).headers.get('allow')).toBe('GET, HEAD');
  });

  test('is told that its path cannot be read', async () => {
    expect(await api.call('GET', '/v1/tenants/%E0%A4%A')).toMatchObject({ status: 400 });
  });
});

describe('for operators', () => {
  test('health is always fine, readiness is honest', async () => {
    expect(await api.call('GET', '/healthz', { key: null })).toMatchObject({ status: 200, body: { ok: true } });
    expect(await api.call('GET', '/readyz', { key: null })).toMatchObject({ status: 200, body: { ok: true } });
    ok = false;
    const { status, body } = await api.call('GET', '/readyz', { key: null });
    ok = true;
    expect([status, body]).toEqual([503, { ok: false, checks: { database: 'not reached yet' } }]);
  });

  test('metrics count tenants by state and requests by route, and name nobody', async () => {
    await api.call('POST', '/v1/tenants', { body: { id: 'canary-tenant', name: 'Canary Name' } });
    await api.call('GET', '/v1/tenants/canary-tenant');
    const { text, headers } = await api.call('GET', '/metrics', { key: null });
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text).toMatch(/entra_sync_tenants\{state="awaiting_consent"\} 1/);
    expect(text).toMatch(/entra_sync_feed_position \d+/);
    expect(text).toMatch(/entra_sync_drift\{kind="membership",difference="extra"\} 0/);
    expect(text).toMatch(/_count\{method="GET",route="\/v1\/tenants\/{id}",status="200"\} 1/);
    expect(text).not.toMatch(/canary/i);
  });

  test('no log line names a tenant, a token or a query', async () => {
    await api.call('GET', '/consent/callback?state=canary-state&code=canary-code', { key: null });
    await api.call('GET', '/v1/tenants/canary-tenant?limit=canary');
    await api.call('GET', '/connect/canary-token', { key: null });
    expect(api.logged.length).toBeGreaterThan(0);
    expect(api.logged.join('\n')).not.toMatch(/canary/i);
  });
});

describe('the OpenAPI document', () => {
  test('tells every route of the contract that works by now', () => {
    const told = Object.entries(api.declared.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const tenant = '/v1/tenants/{id}';
    expect(told).toEqual(
      expect.arrayContaining([
        'POST /v1/tenants',
        'GET /v1/tenants',
        ...['GET', 'PATCH', 'DELETE'].map((method) => `${method} ${tenant}`),
        ...['sync', 'resync', 'pause', 'resume', 'revoke', 'approve'].map((order) => `POST ${tenant}/${order}`),
        ...['users', 'groups', 'memberships', 'diagnostics'].map((list) => `GET ${tenant}/${list}`),
        `GET ${tenant}/users/{userId}/groups`,
        `GET ${tenant}/groups/{groupId}/members`,
        `POST ${tenant}/access/check`,
        'GET /v1/events',
        'GET /connect/{token}',
        'GET /connect/{token}/start',
        'GET /connect/{token}/check',
        'GET /Account/AdminConsent',
        'GET /consent/callback',
        'POST /graph/notifications',
        'POST /graph/lifecycle',
        'GET /healthz',
        'GET /readyz',
        'GET /metrics',
        'GET /openapi.json',
      ]),
    );
  });

  test('tells the key, streams, limits and problems', () => {
    const { paths, openapi } = api.declared.document as unknown as { paths: Record<string, never>; openapi: string };
    expect(openapi).toBe('3.1.0');
    const users = paths['/v1/tenants/{id}/users']?.['get'] as unknown as Record<string, never>;
    expect(users).toMatchObject({
      security: [{ key: [] }],
      responses: {
        200: {
          headers: { 'Entra-Sync-Cursor': {} },
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/PageOfUsers' } },
            'application/x-ndjson': { schema: { $ref: '#/components/schemas/User' } },
          },
        },
        401: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
        404: {},
        431: {},
      },
    });
    expect(users['parameters']).toContainEqual(
      expect.objectContaining({
        name: 'limit',
        in: 'query',
        schema: expect.objectContaining({ type: 'integer', maximum: 1000 }),
      }),
    );
    expect(JSON.stringify(paths)).not.toContain('$defs');
  });

  test('points only to what is there', () => {
    const text = JSON.stringify(api.declared.document);
    const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(api.declared.document.components.schemas).toHaveProperty([name]);
  });
});
