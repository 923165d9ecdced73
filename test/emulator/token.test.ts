import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  claimsOf,
  CLIENT_ID,
  CLIENT_SECRET,
  startTestEmulator,
  type JsonObject,
  type TestEmulator,
  type TestTenant,
} from './test-emulator.ts';

let emulator: TestEmulator;
let tenant: TestTenant;

const app = (action: string, body: JsonObject = {}): Promise<JsonObject> =>
  emulator.control('POST', `tenants/${tenant.id}/app/${action}`, body);

async function refused(form: Record<string, string> = {}, name = tenant.id): Promise<JsonObject> {
  const response = await emulator.requestToken(name, form);
  return { status: response.status, ...((await response.json()) as JsonObject) };
}

beforeAll(async () => {
  emulator = await startTestEmulator();
});

afterAll(() => emulator.close());

beforeEach(async () => {
  await emulator.control('POST', 'reset');
  tenant = await emulator.createConsentedTenant();
});

describe('client credentials', () => {
  it('give a token with the granted roles', async () => {
    const response = await emulator.requestToken(tenant.id);
    const body = (await response.json()) as JsonObject;
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599 });
    expect('refresh_token' in body).toBe(false);
    expect(claimsOf(String(body['access_token']))).toMatchObject({
      aud: 'https://graph.microsoft.com',
      iss: `https://sts.windows.net/${tenant.id}/`,
      appid: CLIENT_ID,
      idtyp: 'app',
      tid: tenant.id,
      ver: '1.0',
      roles: ['User.Read.All', 'Group.Read.All', 'Application.Read.All'],
    });
  });

  it('take the secret by HTTP Basic, a domain for the tenant, and parameters they do not know', async () => {
    const basic = `Basic ${Buffer.from(`${CLIENT_ID}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}`;
    const response = await fetch(
      `${emulator.url}/contoso.com/oauth2/v2.0/token?client-request-id=7f6e5d4c-3b2a-1908-f7e6-d5c4b3a29180`,
      {
        method: 'POST',
        headers: { Authorization: basic },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          scope: 'https://graph.microsoft.com/.default',
          'x-client-SKU': 'any',
        }),
      },
    );
    expect(response.status).toBe(200);
  });

  it.each(['https://localhost/.default', '00000003-0000-0000-c000-000000000000/.default'])(
    'take %s for Graph',
    async (scope) => {
      const response = await emulator.requestToken(tenant.id, { scope });
      const { access_token: token } = (await response.json()) as JsonObject;
      const users = await fetch(`${emulator.url}/v1.0/users`, {
        headers: { Authorization: `Bearer ${String(token)}` },
      });
      expect(users.status).toBe(200);
    },
  );

  it('report an error with all fields of the documentation', async () => {
    const error = await refused({
      client_secret: 'wrong',
      'client-request-id': '7f6e5d4c-3b2a-1908-f7e6-d5c4b3a29180',
    });
    expect(error).toMatchObject({
      status: 401,
      error: 'invalid_client',
      error_description: expect.stringMatching(
        /^AADSTS7000215: .* Trace ID: .* Correlation ID: 7f6e5d4c-3b2a-1908-f7e6-d5c4b3a29180 Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/,
      ),
      error_codes: [7000215],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
      trace_id: expect.any(String),
      correlation_id: '7f6e5d4c-3b2a-1908-f7e6-d5c4b3a29180',
      error_uri: expect.stringContaining('code=7000215'),
    });
  });

  it.each<readonly [string, Record<string, string>, number, string, number]>([
    ['no credential', { client_secret: '' }, 7000218, 'invalid_client', 401],
    [
      'an unknown application',
      { client_id: '11111111-1111-4111-8111-111111111111' },
      700016,
      'unauthorized_client',
      400,
    ],
    ['a scope without .default', { scope: 'https://graph.microsoft.com/User.Read' }, 1002012, 'invalid_scope', 400],
    ['an unknown resource', { scope: 'https://other.example/.default' }, 500011, 'invalid_resource', 400],
    ['an unknown grant type', { grant_type: 'password' }, 70003, 'unsupported_grant_type', 400],
    ['no grant type', { grant_type: '' }, 900144, 'invalid_request', 400],
  ])('refuse %s', async (_, form, code, error, status) => {
    expect(await refused(form)).toMatchObject({ status, error, error_codes: [code] });
  });

  it('refuse unknown tenants and the names of several', async () => {
    expect(await refused({}, '99999999-9999-4999-8999-999999999999')).toMatchObject({
      status: 400,
      error_codes: [90002],
    });
    expect(await refused({}, 'common')).toMatchObject({ status: 400, error_codes: [9001023] });
    expect(await refused({}, 'organizations')).toMatchObject({ status: 400, error_codes: [50059] });
  });

  it('refuse a secret after its end', async () => {
    const now = Date.parse(String((await emulator.control('GET', 'clock'))['now']));
    const secrets = [{ value: 'short-lived', expiresAt: now + 60_000 }];
    await emulator.control('PUT', `registrations/${CLIENT_ID}`, { secrets });
    expect((await emulator.requestToken(tenant.id, { client_secret: 'short-lived' })).status).toBe(200);
    await emulator.control('POST', 'clock', { advanceMs: 61_000 });
    expect(await refused({ client_secret: 'short-lived' })).toMatchObject({ status: 401, error_codes: [7000222] });
  });
});

describe('consent and its withdrawal at the token endpoint', () => {
  it('refuses while there is no service principal, in either form', async () => {
    tenant = await emulator.createTenant({ domain: 'fresh.com' });
    expect(await refused()).toMatchObject({ status: 401, error: 'invalid_client', error_codes: [7000229] });
    await emulator.control('PATCH', `tenants/${tenant.id}/settings`, { missingPrincipalCode: 700016 });
    expect(await refused()).toMatchObject({ status: 400, error: 'unauthorized_client', error_codes: [700016] });
  });

  it('lets a consent replicate: refused, then a token without roles, then one with them', async () => {
    tenant = await emulator.createTenant({ domain: 'slow.com', settings: { consentDelayMs: 60_000 } });
    await app('consent');
    expect(await refused()).toMatchObject({ error_codes: [7000229] });
    await emulator.control('POST', 'clock', { advanceMs: 31_000 });
    const early = await emulator.graph(tenant.id);
    expect('roles' in claimsOf(early.token)).toBe(false);
    expect(await early.refusal('/users')).toMatchObject({ status: 403 });
    await emulator.control('POST', 'clock', { advanceMs: 31_000 });
    expect(claimsOf(await emulator.graphToken(tenant.id))['roles']).toContain('User.Read.All');
    expect(await early.refusal('/users')).toMatchObject({ status: 403 });
  });

  it('goes on giving tokens when a permission is removed, and old tokens keep it', async () => {
    const before = await emulator.graph(tenant.id);
    await app('roles/remove', { permission: 'Group.Read.All' });
    const after = await emulator.graph(tenant.id);
    expect(claimsOf(after.token)['roles']).toEqual(['User.Read.All', 'Application.Read.All']);
    expect((await before.get('/groups')).status).toBe(200);
    expect(await after.refusal('/groups')).toMatchObject({ status: 403, code: 'Authorization_RequestDenied' });
  });

  it('refuses new tokens of a disabled and of a deleted application, and gives them again after its restoration', async () => {
    const before = await emulator.graph(tenant.id);
    await app('settings', { accountEnabled: false });
    expect(await refused()).toMatchObject({ status: 400, error: 'unauthorized_client', error_codes: [7000112] });
    await app('settings', { accountEnabled: true });
    await app('revoke');
    expect(await refused()).toMatchObject({ error_codes: [7000229] });
    expect((await before.get('/users')).status).toBe(200);
    await emulator.control('PATCH', `tenants/${tenant.id}/settings`, { refuseTokensOfDeletedPrincipal: true });
    expect(await before.refusal('/users')).toMatchObject({ status: 401, code: 'Authorization_IdentityNotFound' });
    await app('restore');
    expect((await emulator.requestToken(tenant.id)).status).toBe(200);
  });
});

describe('discovery', () => {
  const discover = async (name: string): Promise<JsonObject> =>
    (await (await fetch(`${emulator.url}/${name}/v2.0/.well-known/openid-configuration`)).json()) as JsonObject;

  it('puts the tenant into the issuer, on the https origin, and resolves domains', async () => {
    expect(await discover('contoso.com')).toMatchObject({
      issuer: `${emulator.httpsUrl}/${tenant.id}/v2.0`,
      token_endpoint: `${emulator.url}/${tenant.id}/oauth2/v2.0/token`,
      jwks_uri: `${emulator.url}/${tenant.id}/discovery/v2.0/keys`,
    });
  });

  it('has a template with literal braces for organizations and common', async () => {
    expect((await discover('organizations'))['issuer']).toBe(`${emulator.httpsUrl}/{tenantid}/v2.0`);
    expect((await discover('common'))['issuer']).toBe(`${emulator.httpsUrl}/{tenantid}/v2.0`);
  });

  it('says invalid_tenant for a tenant that does not exist', async () => {
    expect(await discover('nobody.example')).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] });
  });

  it('publishes keys that name their issuer, and keeps the old one after a rotation', async () => {
    const keys = async (): Promise<JsonObject[]> =>
      ((await (await fetch(`${emulator.url}/common/discovery/v2.0/keys`)).json()) as { keys: JsonObject[] }).keys;
    const [old] = await keys();
    expect(old).toMatchObject({
      kty: 'RSA',
      use: 'sig',
      issuer: `${emulator.httpsUrl}/{tenantid}/v2.0`,
      x5c: [expect.any(String)],
    });
    const before = await emulator.graph(tenant.id);
    await emulator.control('POST', 'keys', {});
    expect((await keys()).map((key) => key['kid'])).toHaveLength(2);
    expect((await before.get('/users')).status).toBe(200);
    await emulator.control('POST', 'keys', { forgetOld: true });
    expect(await keys()).toHaveLength(1);
    expect((await before.get('/users')).status).toBe(401);
  });
});
