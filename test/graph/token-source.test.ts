import { afterAll, describe, expect, it } from '@jest/globals';
import { createVerify, createPublicKey, X509Certificate, constants } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import type { TokenFailure } from '../../src/domain/activities.ts';
import type { Credential } from '../../src/graph/credential.ts';
import { createGraph, type GraphConfig } from '../../src/graph/graph.ts';
import { brokenBody, json, never, reset, scriptedFetch, type Script } from './scripted-fetch.ts';

const TENANT = '9f4c1f1e-6d0a-4c1b-9c3a-0f6a2b7a1c55';
const CLIENT = '6731de76-14a6-49ae-97bc-6eba6914391e';
const TRACE = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e900';

const jwt = (payload: object) =>
  ['{"alg":"RS256"}', JSON.stringify(payload), 'sig'].map((part) => Buffer.from(part).toString('base64url')).join('.');
const granted = (token: string) =>
  json({ token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token });

function source(script: Script, config: Partial<GraphConfig> = {}) {
  const { fetch, seen } = scriptedFetch(script);
  const graph = createGraph({
    clientId: CLIENT,
    credential: { kind: 'secret', secret: 's&=ecret' },
    cloud: 'global',
    fetch,
    ...config,
  });
  return { tokenFor: graph.tokenFor, seen };
}

function refusal(code: number | number[], error: string, extra: object = {}) {
  const codes = [code].flat();
  return {
    error,
    error_description: `AADSTS${codes[0]}: For alice@contoso.com. Trace ID: ${TRACE}`,
    error_codes: codes,
    timestamp: '2026-11-21 09:12:44Z',
    trace_id: TRACE,
    correlation_id: '7f6e5d4c-3b2a-1908-f7e6-d5c4b3a29180',
    ...extra,
  };
}

describe('a token', () => {
  it('is asked of exactly that directory, for the cloud of the resource, with one request and a credential in the form', async () => {
    const token = jwt({ tid: TENANT, roles: ['User.Read.All'] });
    const { tokenFor, seen } = source(() => granted(token), {
      authorityHost: 'https://localhost:9443',
      cloud: 'usgov',
    });
    const before = Date.now();
    const got = await tokenFor(TENANT);
    expect(got).toMatchObject({
      kind: 'token',
      accessToken: token,
      roles: ['User.Read.All'],
    });
    expect(got.kind === 'token' && got.expiresAt - before).toBeGreaterThan(3_500_000);
    expect(got.kind === 'token' && got.expiresAt - before).toBeLessThan(3_610_000);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.url.split('?')[0]).toBe(`https://localhost:9443/${TENANT}/oauth2/v2.0/token`);
    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toMatchObject({
      client_id: CLIENT,
      client_secret: 's&=ecret',
      grant_type: 'client_credentials',
    });
    expect(new URLSearchParams(seen[0]?.body).get('scope')?.split(' ')).toContain(
      'https://graph.microsoft.us/.default',
    );
  });

  it('is a new one each time, and asked for again at once after a refusal', async () => {
    let n = 0;
    const { tokenFor } = source(() => (++n === 2 ? json({}, 429, { 'retry-after': '600' }) : granted(jwt({ n }))));
    expect(await tokenFor(TENANT)).toMatchObject({ kind: 'token' });
    expect(await tokenFor(TENANT)).toEqual({
      kind: 'refused',
      failure: 'TokenEndpointUnavailable',
      retryAfterMs: 600_000,
    });
    expect(await tokenFor(TENANT)).toMatchObject({ accessToken: jwt({ n: 3 }) });
  });

  it('without the claim has no roles, and of one that cannot be read nothing is known', async () => {
    expect(await source(() => granted(jwt({ tid: TENANT }))).tokenFor(TENANT)).toMatchObject({
      roles: [],
    });
    const opaque = await source(() => granted('opaque')).tokenFor(TENANT);
    expect(opaque).toMatchObject({ kind: 'token', roles: undefined });
  });

  it('of another directory is refused', async () => {
    const { tokenFor } = source(() => granted(jwt({ tid: 'a0000000-0000-4000-8000-000000000000' })));
    expect(await tokenFor(TENANT)).toMatchObject({ kind: 'refused', failure: 'TokenRefused' });
  });

  it('is given up when the caller aborts', async () => {
    const stop = new AbortController();
    const { tokenFor } = source(({ signal }) => never(signal));
    const asked = tokenFor(TENANT, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(asked).rejects.toThrow('stopped');
  });
});

describe('a refusal', () => {
  const CASES: readonly [status: number, body: object, failure: TokenFailure, aadsts: number | undefined][] = [
    [400, refusal(700016, 'unauthorized_client'), 'ConsentMissing', 700016],
    [401, refusal(7000229, 'invalid_client'), 'ConsentMissing', 7000229],
    [400, refusal(65001, 'invalid_grant', { suberror: 'consent_required' }), 'ConsentMissing', 65001],
    [400, refusal(123, 'invalid_grant', { suberror: 'consent_required' }), 'ConsentMissing', 123],
    [400, refusal(7000112, 'unauthorized_client'), 'ApplicationDisabled', 7000112],
    [401, refusal(7000215, 'invalid_client'), 'CredentialsRejected', 7000215],
    [401, refusal(7000222, 'invalid_client'), 'CredentialsRejected', 7000222],
    [401, refusal(700027, 'invalid_client'), 'CredentialsRejected', 700027],
    [401, refusal(9_999_999, 'invalid_client'), 'CredentialsRejected', 9_999_999],
    [400, refusal(90002, 'invalid_request'), 'DirectoryNotFound', 90002],
    [400, refusal(900382, 'invalid_request'), 'DirectoryNotFound', 900382],
    [400, refusal(53003, 'interaction_required', { claims: '{}' }), 'BlockedByPolicy', 53003],
    [400, refusal(424242, 'interaction_required'), 'BlockedByPolicy', 424242],
    [400, refusal(424242, 'unauthorized_client'), 'TokenRefused', 424242],
    [400, refusal(500011, 'invalid_resource'), 'TokenRefused', 500011],
    [400, refusal(90033, 'temporarily_unavailable'), 'TokenEndpointUnavailable', 90033],
    [400, refusal(90055, 'invalid_request'), 'TokenEndpointUnavailable', 90055],
    [503, refusal(700016, 'unauthorized_client'), 'TokenEndpointUnavailable', 700016],
    [400, refusal([1, 700016], 'unauthorized_client'), 'ConsentMissing', 1],
    [400, { error: 'constructor', error_codes: 'no list' }, 'TokenRefused', undefined],
  ];
  it.each(CASES)('%d %j is %s', async (status, body, failure, aadsts) => {
    const got = await source(() => json(body, status)).tokenFor(TENANT);
    const requestId = 'trace_id' in body ? { requestId: TRACE } : {};
    expect(got).toEqual({ kind: 'refused', failure, ...requestId, ...(aadsts === undefined ? {} : { aadsts }) });
    expect(JSON.stringify(got)).not.toContain('alice');
  });

  it.each([
    ['a page of HTML', () => new Response('<html>', { status: 503 })],
    ['a page of HTML with 400', () => new Response('<html>', { status: 400 })],
    ['a page of HTML with 200', () => new Response('<html>')],
    ['half an answer', () => new Response('{"access_token":"eyJ')],
    ['an answer that breaks off', () => brokenBody('{"acc')],
    ['a success without a token', () => json({ token_type: 'Bearer' })],
    ['a broken connection', reset],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
  ] satisfies [string, Script][])('is told from trouble on the way: %s', async (_, script) => {
    expect(await source(script).tokenFor(TENANT)).toEqual({ kind: 'refused', failure: 'TokenEndpointUnavailable' });
  });
});

describe('credentials in files', () => {
  const folder = mkdtemp(join(tmpdir(), 'credential-'));
  afterAll(async () => rm(await folder, { recursive: true }));
  const withFile = async (kind: 'certificate' | 'federated', text: string | undefined, script: Script) => {
    const file = join(await folder, `${kind}-${text?.length ?? 0}`);
    if (text !== undefined) await writeFile(file, text);
    const credential: Credential = { kind, file };
    return source(script, { credential });
  };

  it('sends the federated token as it is', async () => {
    const { tokenFor, seen } = await withFile('federated', ' a.b.c\n', () => granted('t'));
    await tokenFor(TENANT);
    expect(new URLSearchParams(seen[0]?.body).get('client_assertion')).toBe('a.b.c');
  });

  it('signs an assertion for the directory with PS256, named by the certificate', async () => {
    const pem = await generate([{ name: 'commonName', value: 'entra-sync' }], { keySize: 2048 });
    const { tokenFor, seen } = await withFile('certificate', `${pem.cert}\n${pem.private}`, () => granted('t'));
    expect(await tokenFor(TENANT)).toMatchObject({ kind: 'token' });
    const assertion = new URLSearchParams(seen[0]?.body).get('client_assertion') ?? '';
    const [header = '', payload = '', signature = ''] = assertion.split('.');
    const certificate = new X509Certificate(pem.cert);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({
      alg: 'PS256',
      'x5t#S256': Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    });
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      aud: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`,
      iss: CLIENT,
      sub: CLIENT,
    });
    const verifier = createVerify('sha256').update(`${header}.${payload}`);
    const key = { key: createPublicKey(pem.cert), padding: constants.RSA_PKCS1_PSS_PADDING };
    expect(verifier.verify(key, signature, 'base64url')).toBe(true);
  });

  it('says which file cannot be used, asking nobody', async () => {
    const missing = await withFile('federated', undefined, () => granted('t'));
    expect(await missing.tokenFor(TENANT)).toMatchObject({
      failure: 'CredentialsRejected',
      note: expect.stringMatching(/federated-0 cannot be read: ENOENT/),
    });
    const wrong = await withFile('certificate', 'not a PEM file', () => granted('t'));
    expect(await wrong.tokenFor(TENANT)).toMatchObject({
      failure: 'CredentialsRejected',
      note: expect.stringMatching(/must be a PEM file/),
    });
    expect([...missing.seen, ...wrong.seen]).toEqual([]);
  });
});
