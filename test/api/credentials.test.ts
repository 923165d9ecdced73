import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt, SignJWT } from 'jose';
import { generate } from 'selfsigned';
import { Browser, connectAsAdministrator } from '../../demo/browser.ts';
import { CLIENT_ID } from '../emulator/test-emulator.ts';
import { startEmulatedGraph, type EmulatedGraph } from '../support/emulated-graph.ts';
import { startApi } from './support/api-under-test.ts';
import { runTenants } from './support/running-tenants.ts';

// Product and Microsoft without a secret: from the consent by the proof to the first round.

let microsoft: EmulatedGraph;
let folder: string;
beforeAll(async () => {
  microsoft = await startEmulatedGraph();
  folder = await mkdtemp(join(tmpdir(), 'credentials-'));
});
afterAll(async () => {
  await microsoft.close();
  await rm(folder, { recursive: true });
});

/** Writes the file, and returns what the registration trusts for it. */
const MAKERS = {
  async certificate(file: string) {
    const made = await generate([{ name: 'commonName', value: 'entra-sync' }], { algorithm: 'sha256' });
    await writeFile(file, `${made.cert}\n${made.private}`);
    return { certificates: [made.cert] };
  },
  async federated(file: string) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const trusted = { issuer: 'https://platform.example', subject: 'worker' };
    const token = new SignJWT({ iss: trusted.issuer, sub: trusted.subject, aud: 'api://AzureADTokenExchange' })
      .setProtectedHeader({ alg: 'RS256' })
      .setExpirationTime('1h');
    await writeFile(file, await token.sign(privateKey));
    return { federatedCredentials: [{ ...trusted, publicKey: publicKey.export({ type: 'spki', format: 'pem' }) }] };
  },
};

test.each(['certificate', 'federated'] as const)(
  'with a %s file a directory consents, proves itself, and arrives',
  async (kind) => {
    const file = join(folder, kind);
    const trusted = await MAKERS[kind](file);
    const audiences: unknown[] = [];
    const listening: typeof fetch = (url, init) => {
      const form = init?.body;
      const sent = typeof form === 'string' || form instanceof URLSearchParams ? new URLSearchParams(form) : undefined;
      const assertion = sent?.get('client_assertion') ?? null;
      if (assertion !== null) audiences.push(decodeJwt(assertion).aud);
      return microsoft.fetch(url, init);
    };
    const graph = microsoft.graph({ credential: { kind, file }, fetch: listening });
    const api = await startApi({ microsoft: graph });
    const redirectUris = [`${api.base}/consent/callback`];
    await microsoft.emulator.control('PUT', `registrations/${CLIENT_ID}`, { secrets: [], ...trusted, redirectUris });
    const directory = await microsoft.emulator.createTenant({ domain: `${kind}.example` });
    const id = randomUUID();
    const { body } = await api.call('POST', '/v1/tenants', { body: { id } });
    const admin = directory.accounts.find(({ part }) => /admin/i.test(part))?.userPrincipalName ?? '';
    const browser = new Browser(await readFile(microsoft.emulator.caFile, 'utf8'));
    expect(await connectAsAdministrator(browser, body.setupUrl, admin)).toMatchObject({ status: 200 });
    expect((await api.call('GET', `/v1/tenants/${id}`)).body.entraTenantId).toBe(directory.id);

    const product = await runTenants(api, graph);
    await product.follow(id, directory.id);
    const end = Date.now() + 120_000;
    const shown = async () => (await api.call('GET', `/v1/tenants/${id}`)).body;
    while ((await shown()).phase !== 'delta_sync' && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await shown()).toMatchObject({ phase: 'delta_sync', problem: null });
    expect((await shown()).counts.users).toBeGreaterThan(0);
    const tokenEndpoint = `${microsoft.emulator.httpsUrl}/${directory.id}/oauth2/v2.0/token`;
    expect(audiences.length).toBeGreaterThanOrEqual(2);
    expect(new Set(audiences)).toEqual(
      new Set([kind === 'certificate' ? tokenEndpoint : 'api://AzureADTokenExchange']),
    );
    await product.stop();
    await api.close();
  },
  240_000,
);
