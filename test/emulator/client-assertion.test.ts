import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { generate } from 'selfsigned';
import {
  claimsOf,
  CLIENT_ID,
  startTestEmulator,
  type JsonObject,
  type TestEmulator,
  type TestTenant,
} from './test-emulator.ts';

let emulator: TestEmulator;
let tenant: TestTenant;
let key: KeyObject;
let thumbprint: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  tenant = await emulator.createConsentedTenant();
  const made = await generate([{ name: 'commonName', value: 'client' }], { algorithm: 'sha256' });
  key = createPrivateKey(made.private);
  thumbprint = createHash('sha256').update(new X509Certificate(made.cert).raw).digest('base64url');
  await emulator.control('PUT', `registrations/${CLIENT_ID}`, { certificates: [made.cert] });
});

afterAll(() => emulator.close());

const now = (): number => Math.floor(Date.now() / 1000);

async function sign(claims: JsonObject = {}, header: JsonObject = {}, signer: KeyObject = key): Promise<string> {
  const audience = `${emulator.url}/${tenant.id}/oauth2/v2.0/token`;
  const payload = { aud: audience, iss: CLIENT_ID, sub: CLIENT_ID, jti: 'x', nbf: now(), exp: now() + 600, ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint, ...header })
    .sign(signer);
}

async function request(assertion: string): Promise<JsonObject> {
  const response = await fetch(`${emulator.url}/${tenant.id}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: CLIENT_ID,
      grant_type: 'client_credentials',
      scope: 'https://graph.microsoft.com/.default',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  });
  return (await response.json()) as JsonObject;
}

describe('a client that proves itself by an assertion', () => {
  it('gets a token for a certificate of the registration, which says so', async () => {
    const body = await request(await sign());
    expect(claimsOf(String(body['access_token']))).toMatchObject({ appidacr: '2' });
  });

  it('is refused with the code of what is wrong', async () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(await request(await sign({}, {}, stranger))).toMatchObject({
      error: 'invalid_client',
      error_codes: [700027],
    });
    expect(await request(await sign({}, { 'x5t#S256': 'unknown' }))).toMatchObject({ error_codes: [700027] });
    expect(await request(await sign({ nbf: now() - 7200, exp: now() - 3600 }))).toMatchObject({
      error_codes: [700024],
    });
    expect(await request(await sign({ aud: 'https://elsewhere.example' }))).toMatchObject({ error_codes: [700023] });
    expect(await request(await sign({ sub: 'other' }))).toMatchObject({ error_codes: [700021] });
    expect(await request('nonsense')).toMatchObject({ error_codes: [50027] });
  });

  it('gets a token for a trusted issuer, subject and audience, and for no other', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const credential = {
      issuer: 'https://issuer.example',
      subject: 'workload',
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
    };
    await emulator.control('PUT', `registrations/${CLIENT_ID}`, { federatedCredentials: [credential] });
    const federated = (claims: JsonObject = {}, signer = privateKey): Promise<string> =>
      new SignJWT({
        iss: credential.issuer,
        sub: 'workload',
        aud: 'api://AzureADTokenExchange',
        exp: now() + 600,
        ...claims,
      })
        .setProtectedHeader({ alg: 'RS256' })
        .sign(signer);
    expect(await request(await federated())).toHaveProperty('access_token');
    expect(await request(await federated({ sub: 'another' }))).toMatchObject({ error_codes: [70021] });
    expect(await request(await federated({}, key))).toMatchObject({ error_codes: [50013] });
  });
});
