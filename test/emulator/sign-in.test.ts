import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import {
  claimsOf,
  CLIENT_ID,
  SIGNIN_REDIRECT_URI,
  startTestEmulator,
  submitForm,
  type JsonObject,
  type TestEmulator,
  type TestTenant,
} from './test-emulator.ts';

const VERIFIER = randomBytes(32).toString('base64url');
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';

let emulator: TestEmulator;
let tenant: TestTenant;

beforeAll(async () => {
  emulator = await startTestEmulator();
  tenant = await emulator.createConsentedTenant();
});

afterAll(() => emulator.close());

const idOf = (part: string): string => tenant.accounts.find((each) => each.part === part)?.id ?? '';

function authorizeUrl(more: Record<string, string> = {}, authority = tenant.id): string {
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: SIGNIN_REDIRECT_URI,
    scope: 'openid profile',
    state: 'st',
    nonce: 'n0nce',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...more,
  });
  return `${emulator.url}/${authority}/oauth2/v2.0/authorize?${query.toString()}`;
}

async function signIn(
  part: string,
  more: Record<string, string> = {},
  authority = tenant.id,
): Promise<URLSearchParams> {
  const response = await submitForm(authorizeUrl(more, authority), { account: idOf(part), action: 'accept' });
  return new URL(String(response.headers.get('location'))).searchParams;
}

async function redeem(code: string, more: Record<string, string> = {}, authority = tenant.id): Promise<JsonObject> {
  const response = await emulator.requestToken(authority, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: SIGNIN_REDIRECT_URI,
    code_verifier: VERIFIER,
    ...more,
  });
  return { status: response.status, ...((await response.json()) as JsonObject) };
}

const codeOf = async (part = 'admin'): Promise<string> => String((await signIn(part)).get('code'));

describe('sign-in', () => {
  it('returns a code with the state, and an id_token that verifies against the published keys', async () => {
    const answer = await signIn('admin');
    expect(answer.get('state')).toBe('st');
    const tokens = await redeem(String(answer.get('code')));
    expect(tokens).toMatchObject({ status: 200, token_type: 'Bearer' });
    const keys = (await (await fetch(`${emulator.url}/common/discovery/v2.0/keys`)).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(String(tokens['id_token']), createLocalJWKSet(keys), {
      issuer: `${emulator.httpsUrl}/${tenant.id}/v2.0`,
      audience: CLIENT_ID,
    });
    expect(payload).toMatchObject({
      ver: '2.0',
      tid: tenant.id,
      oid: idOf('admin'),
      nonce: 'n0nce',
      preferred_username: 'admin0@contoso.com',
      name: 'Ada Admin',
    });
    expect(payload['wids']).toContain(GLOBAL_ADMINISTRATOR);
  });

  it('leaves wids out when the tenant or the registration does not send them', async () => {
    await emulator.control('PATCH', `tenants/${tenant.id}/settings`, { widsInIdToken: false });
    expect('wids' in claimsOf(String((await redeem(await codeOf()))['id_token']))).toBe(false);
    await emulator.control('PATCH', `tenants/${tenant.id}/settings`, { widsInIdToken: true });
    expect(claimsOf(String((await redeem(await codeOf('member')))['id_token']))['wids']).not.toContain(
      GLOBAL_ADMINISTRATOR,
    );
  });

  it('signs in a guest with an identity provider of their own', async () => {
    const claims = claimsOf(String((await redeem(await codeOf('guest')))['id_token']));
    expect(claims).toMatchObject({ tid: tenant.id, idp: expect.any(String) });
  });

  it('gives a token for the user’s own profile', async () => {
    const code = String((await signIn('member', { scope: 'openid profile User.Read offline_access' })).get('code'));
    const tokens = await redeem(code);
    const me = await fetch(`${emulator.url}/v1.0/me`, {
      headers: { Authorization: `Bearer ${String(tokens['access_token'])}` },
    });
    expect(await me.json()).toMatchObject({ id: idOf('member') });
    const again = await emulator.requestToken(tenant.id, {
      grant_type: 'refresh_token',
      refresh_token: String(tokens['refresh_token']),
    });
    expect(again.status).toBe(200);
  });

  it.each<readonly [string, Record<string, string>, number]>([
    ['a wrong verifier', { code_verifier: randomBytes(32).toString('base64url') }, 501481],
    ['no verifier', { code_verifier: '' }, 501481],
    ['another redirect URI', { redirect_uri: 'http://localhost:8080/consent/callback' }, 50011],
    ['an invented code', { code: '1.invented' }, 70000],
    ['a wrong secret', { client_secret: 'wrong' }, 7000215],
  ])('refuses to redeem with %s', async (_, more, code) => {
    expect(await redeem(await codeOf(), more)).toMatchObject({ error_codes: [code] });
  });

  it('redeems a code once, at the authority it was made for, for ten minutes', async () => {
    const code = await codeOf();
    expect(await redeem(code, {}, 'organizations')).toMatchObject({ error: 'invalid_grant', error_codes: [700005] });
    expect(await redeem(code)).toMatchObject({ status: 200 });
    expect(await redeem(code)).toMatchObject({ error: 'invalid_grant', error_codes: [54005] });
    const late = await codeOf();
    await emulator.control('POST', 'clock', { advanceMs: 11 * 60_000 });
    expect(await redeem(late)).toMatchObject({ error: 'invalid_grant', error_codes: [70008] });
  });

  it('signs in through organizations with the tenant of the account', async () => {
    const code = String((await signIn('member', {}, 'organizations')).get('code'));
    expect(claimsOf(String((await redeem(code, {}, 'organizations'))['id_token']))).toMatchObject({ tid: tenant.id });
  });

  it('keeps a disabled account on its own page', async () => {
    const response = await submitForm(authorizeUrl(), { account: idOf('disabled'), action: 'accept' });
    expect(await response.text()).toContain('AADSTS50057');
  });

  it('sends 50105 to the application for a user who is not assigned', async () => {
    await emulator.control('POST', `tenants/${tenant.id}/app/settings`, { appRoleAssignmentRequired: true });
    const refused = await signIn('member');
    expect(refused.get('error')).toBe('interaction_required');
    expect(refused.get('error_description')).toContain('AADSTS50105');
    await emulator.control('POST', `tenants/${tenant.id}/app/assign`, { principalId: idOf('member') });
    expect((await signIn('member')).get('code')).not.toBeNull();
    await emulator.control('POST', `tenants/${tenant.id}/app/settings`, { appRoleAssignmentRequired: false });
  });

  it('asks for an administrator while the application is not consented to', async () => {
    const other = await emulator.createTenant({ domain: 'unconsented.com' });
    const [admin, , , member] = other.accounts;
    const page = await submitForm(authorizeUrl({}, other.id), { account: member?.id ?? '', action: 'accept' });
    expect(await page.text()).toContain('AADSTS90094');
    const offer = await submitForm(authorizeUrl({}, other.id), { account: admin?.id ?? '', action: 'accept' });
    expect(await offer.text()).toContain('value="consent"');
    const accepted = await submitForm(authorizeUrl({}, other.id), { account: admin?.id ?? '', action: 'consent' });
    expect(String(accepted.headers.get('location'))).toContain('code=');
    const token = claimsOf(await emulator.graphToken(other.id));
    expect('roles' in token).toBe(false);
  });

  it('asks an administrator once more while a consent spreads, and keeps what was granted', async () => {
    const slow = await emulator.createTenant({ domain: 'slow.com', settings: { consentDelayMs: 60_000 } });
    await emulator.control('POST', `tenants/${slow.id}/app/consent`, {});
    const answer = { account: slow.accounts[0]?.id ?? '', action: 'consent' };
    const accepted = await submitForm(authorizeUrl({}, slow.id), answer);
    expect(String(accepted.headers.get('location'))).toContain('code=');
    await emulator.control('POST', 'clock', { advanceMs: 61_000 });
    expect(claimsOf(await emulator.graphToken(slow.id))['roles']).toContain('User.Read.All');
  });

  it('answers cancel, prompt=none and malformed requests on the redirect URI', async () => {
    const cancelled = await submitForm(authorizeUrl(), { action: 'cancel' });
    expect(cancelled.headers.get('location')).toBe(
      `${SIGNIN_REDIRECT_URI}?error=access_denied&error_subcode=cancel&state=st`,
    );
    for (const [more, error] of [
      [{ prompt: 'none' }, 'login_required'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ scope: 'User.Read' }, 'invalid_scope'],
    ] as const) {
      const response = await fetch(authorizeUrl(more), { redirect: 'manual' });
      expect(new URL(String(response.headers.get('location'))).searchParams.get('error')).toBe(error);
    }
  });

  it('posts the answer by a form when it is asked to', async () => {
    const response = await submitForm(authorizeUrl({ response_mode: 'form_post' }), {
      account: idOf('admin'),
      action: 'accept',
    });
    const markup = await response.text();
    expect(markup).toContain(`action="${SIGNIN_REDIRECT_URI}"`);
    expect(markup).toContain('name="code"');
  });

  it('signs out to a registered address and to no other', async () => {
    const out = (target: string) =>
      fetch(
        `${emulator.url}/${tenant.id}/oauth2/v2.0/logout?${String(new URLSearchParams({ post_logout_redirect_uri: target }))}`,
        {
          redirect: 'manual',
        },
      );
    expect((await out(SIGNIN_REDIRECT_URI)).headers.get('location')).toBe(SIGNIN_REDIRECT_URI);
    const page = await out('https://evil.example/');
    expect([page.status, page.headers.get('location')]).toEqual([200, null]);
    expect(await page.text()).toContain('You signed out');
  });

  it('does not redirect to an address that is not registered', async () => {
    const response = await fetch(authorizeUrl({ redirect_uri: 'https://evil.example/' }), { redirect: 'manual' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('AADSTS50011');
  });
});
