import { beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createGraph } from '../../src/graph/graph.ts';
import { json, reset, scriptedFetch, type SeenRequest } from './scripted-fetch.ts';

const TENANT = '9f4c1f1e-6d0a-4c1b-9c3a-0f6a2b7a1c55';
const OTHER = 'a0000000-0000-4000-8000-000000000000';
const OID = '8f2d1c3b-0000-4000-8000-000000000001';
const ADMIN = '62e90394-69f5-4237-9190-012177145e10';
const HOST = 'https://login.microsoftonline.com';
const REDIRECT = 'https://sync.example.com/consent/callback';

let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
let foreign: typeof keys;
let jwk: JWK;

beforeAll(async () => {
  keys = await generateKeyPair('RS256');
  foreign = await generateKeyPair('RS256');
  jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', use: 'sig', alg: 'RS256' };
});

interface Provider {
  readonly claims?: Record<string, unknown>;
  readonly issuer?: string;
  readonly documentIssuer?: string;
  readonly audience?: string;
  readonly expiresIn?: number;
  readonly unsigned?: boolean;
  readonly forged?: boolean;
  readonly token?: (request: SeenRequest) => Response;
  readonly discovery?: () => Response;
}

async function prove(
  provider: Provider = {},
  back: { readonly query?: string; readonly entraTenant?: string; readonly nonce?: string } = {},
) {
  const base = `${HOST}/${TENANT}`;
  let idToken = '';
  const { fetch, seen } = scriptedFetch((request) => {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith('/.well-known/openid-configuration')) {
      return (
        provider.discovery?.() ??
        json({
          issuer: provider.documentIssuer ?? `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['pairwise'],
          id_token_signing_alg_values_supported: ['RS256'],
        })
      );
    }
    if (pathname.endsWith('/keys')) return json({ keys: [jwk] });
    if (pathname.endsWith('/token')) {
      return (
        provider.token?.(request) ??
        json({ token_type: 'Bearer', access_token: 'a', expires_in: 3599, id_token: idToken })
      );
    }
    throw new Error(`unexpected ${pathname}`);
  });
  const graph = createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global', fetch });
  const begun = await graph.beginProof({ entraTenant: TENANT, redirectUri: REDIRECT, state: 'st4te' });
  const claims = {
    ver: '2.0',
    tid: TENANT,
    oid: OID,
    nonce: begun.nonce,
    wids: [ADMIN],
    name: 'Abe',
    preferred_username: 'abe@contoso.com',
    ...provider.claims,
  };
  const now = Math.floor(Date.now() / 1000);
  idToken = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setSubject('sub')
    .setIssuer(provider.issuer ?? `${base}/v2.0`)
    .setAudience(provider.audience ?? 'app')
    .setIssuedAt(now - 10)
    .setExpirationTime(now + (provider.expiresIn ?? 3600))
    .sign((provider.forged ? foreign : keys).privateKey);
  if (provider.unsigned) idToken = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${idToken.split('.')[1]}.`;
  const outcome = await graph.finishProof({
    entraTenant: back.entraTenant ?? TENANT,
    callbackUrl: `http://10.0.0.7:8080/consent/callback?${back.query ?? 'code=c0de&state=st4te'}`,
    redirectUri: REDIRECT,
    state: 'st4te',
    verifier: begun.verifier,
    nonce: back.nonce ?? begun.nonce,
  });
  return { begun, outcome, seen };
}

describe('the proof of an administrator', () => {
  it('begins at exactly the directory, with PKCE and a nonce, without the network', async () => {
    const { fetch, seen } = scriptedFetch(reset);
    const graph = createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'china', fetch });
    const { url, verifier, nonce } = await graph.beginProof({
      entraTenant: TENANT,
      redirectUri: REDIRECT,
      state: 'st4te',
    });
    const { origin, pathname, searchParams } = new URL(url);
    expect(origin + pathname).toBe(`https://login.partner.microsoftonline.cn/${TENANT}/oauth2/v2.0/authorize`);
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: 'app',
      redirect_uri: REDIRECT,
      response_type: 'code',
      response_mode: 'query',
      scope: 'openid profile',
      state: 'st4te',
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    expect(seen).toEqual([]);
  });

  it('asks for another account on demand, and ends the session at the same directory', async () => {
    const graph = createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global' });
    const request = { entraTenant: TENANT, redirectUri: REDIRECT, state: 's', prompt: 'select_account' } as const;
    expect(new URL((await graph.beginProof(request)).url).searchParams.get('prompt')).toBe('select_account');
    expect(graph.endSessionUrl({ entraTenant: TENANT, redirectUri: REDIRECT })).toBe(
      `${HOST}/${TENANT}/oauth2/v2.0/logout?post_logout_redirect_uri=${encodeURIComponent(REDIRECT)}`,
    );
  });

  it('ends with who it was, and redeems the code with the verifier and the URI that was sent', async () => {
    const { begun, outcome, seen } = await prove();
    expect(outcome).toEqual({
      proven: true,
      tid: TENANT,
      oid: OID,
      wids: [ADMIN],
      account: 'abe@contoso.com',
      name: 'Abe',
    });
    const form = new URLSearchParams(seen.find(({ method }) => method === 'POST')?.body);
    expect(Object.fromEntries(form)).toMatchObject({
      code: 'c0de',
      code_verifier: begun.verifier,
      redirect_uri: REDIRECT,
      client_secret: 's',
    });
  });

  it('says so where the roles are not told', async () => {
    const { outcome } = await prove({ claims: { wids: undefined, name: undefined } });
    expect(outcome).toEqual({ proven: true, tid: TENANT, oid: OID, account: 'abe@contoso.com', name: null });
  });

  it.each([
    ['a foreign signature', { forged: true }],
    ['no signature', { unsigned: true }],
    ['another audience', { audience: 'other-app' }],
    ['another issuer', { issuer: `${HOST}/${OTHER}/v2.0` }],
    ['a discovery document of another directory', { documentIssuer: `${HOST}/${OTHER}/v2.0` }],
    ['a template for an issuer', { documentIssuer: `${HOST}/{tenantid}/v2.0` }],
    ['an id_token that is too old', { expiresIn: -400 }],
    ['another nonce', { claims: { nonce: 'other' } }],
    ['another tid', { claims: { tid: OTHER } }],
    ['no tid', { claims: { tid: undefined } }],
    ['no oid', { claims: { oid: undefined } }],
  ] satisfies [string, Provider][])('fails with %s', async (_, provider) => {
    expect((await prove(provider)).outcome).toMatchObject({ proven: false, reason: 'failed' });
  });

  it('tells when the person proved it, where the claim is there', async () => {
    const { outcome } = await prove({ claims: { auth_time: 1_795_253_300 } });
    expect(outcome).toMatchObject({ proven: true, authTime: '2026-11-21T09:28:20.000Z' });
  });

  it('bears a clock that is some minutes off', async () => {
    expect((await prove({ expiresIn: -200 })).outcome).toMatchObject({ proven: true });
  });

  it('fails with a state that is not ours, a code that was used, or no code', async () => {
    expect((await prove({}, { query: 'code=c&state=other' })).outcome).toMatchObject({ reason: 'failed' });
    expect((await prove({}, { query: 'state=st4te' })).outcome).toMatchObject({ reason: 'failed' });
    const used = () =>
      json({ error: 'invalid_grant', error_description: 'AADSTS54005: abe@contoso.com', error_codes: [54005] }, 400);
    expect((await prove({ token: used })).outcome).toEqual({ proven: false, reason: 'failed', code: 'AADSTS54005' });
  });

  it('is declined by the person, whatever the state', async () => {
    const { outcome, seen } = await prove({}, { query: 'error=access_denied&error_subcode=cancel' });
    expect(outcome).toEqual({ proven: false, reason: 'declined', code: 'access_denied' });
    expect(seen).toEqual([]);
    expect((await prove({}, { query: 'error=%3Cscript%3E' })).outcome).toMatchObject({ code: 'unknown' });
  });

  it.each([
    ['a broken connection', { discovery: reset }],
    ['HTML', { discovery: () => new Response('<html>', { headers: { 'content-type': 'text/html' } }) }],
    ['503 at discovery', { discovery: () => json({}, 503) }],
    ['503 at the token endpoint', { token: () => new Response('<html>', { status: 503 }) }],
    ['429 at the token endpoint', { token: () => json({ error: 'temporarily_unavailable' }, 429) }],
  ] satisfies [string, Provider][])('is told from Microsoft being away: %s', async (_, provider) => {
    expect((await prove(provider)).outcome).toMatchObject({ proven: false, reason: 'unavailable' });
  });
});
