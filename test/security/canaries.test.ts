import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { acceptAtMicrosoft, Browser } from '../../demo/browser.ts';
import { CLIENT_SECRET } from '../../demo/launch.ts';
import { openDatabase } from '../../src/store/open.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { tablesWith } from '../store/everywhere.ts';
import { startConnectProxy, type ConnectProxy } from '../support/connect-proxy.ts';
import { Deployment } from '../support/deployment.ts';
import { keptByTemporal } from '../support/kept-by-temporal.ts';

// What nobody may read is planted in every place that takes something of the kind, and searched for wherever it must not be.
const canary = (what: string) => `canary-${what}-${randomBytes(6).toString('hex')}`;
const NAME = 'Zitronenfalter Canarius';
const ADDRESS = 'canary.zitronenfalter@contoso.com';
const FIRST_SECRET = canary('first-secret');
const PROXY_PASSWORD = canary('proxy');
const PRODUCT_STATE = canary('product-state');

let deployment: Deployment;
let proxy: ConnectProxy;
beforeAll(async () => {
  proxy = await startConnectProxy();
  deployment = await Deployment.start({ preset: 'none' });
  deployment.env = {
    // Microsoft refuses the first secret, so that every token comes by the second; and all of it through the proxy.
    ENTRA_CLIENT_SECRET: FIRST_SECRET,
    ENTRA_CLIENT_SECRET_NEXT: CLIENT_SECRET,
    HTTPS_PROXY: `http://someone:${PROXY_PASSWORD}@127.0.0.1:${proxy.port}`,
    NO_PROXY: '',
    LOG_LEVEL: 'debug',
  };
  deployment.startProduct('all');
  await deployment.ready();
}, 120_000);
afterAll(async () => {
  await deployment?.stop();
  proxy?.close();
}, 60_000);

test('no secret, token, link or person is in a log, a history, a metric, an error, the audit log or, in clear, in the database', async () => {
  const { api } = deployment;
  const directory = await deployment.directory({ domain: 'contoso.com', users: 10, groups: 3 });
  const person = await deployment.emulator.control<{ id: string }>('POST', `tenants/${directory.id}/users`, {
    displayName: NAME,
    userPrincipalName: ADDRESS,
    mail: ADDRESS,
  });
  const { setupUrl } = await deployment.connect('acme', directory);
  await api.until('acme', 'it follows the directory', ({ state }) => state === 'delta_sync');
  const made = await api.json<{ key: string }>('POST', '/v1/api-keys', { name: 'ops', role: 'administrator' });

  // A person signs in; the code is exchanged by the new key, and then tried again.
  const returnTo = `${deployment.publicUrl}/healthz`;
  await api.json('PATCH', '/v1/tenants/acme', { signIn: { returnUrls: [returnTo] } });
  const query = new URLSearchParams({ return_to: returnTo, state: PRODUCT_STATE });
  const browser = new Browser(deployment.emulator.ca);
  const link = `${deployment.publicUrl}/signin/acme?${query.toString()}`;
  const signedIn = await acceptAtMicrosoft(browser, await browser.get(link), person.id);
  const code = new URL(signedIn.url).searchParams.get('code') ?? '';
  const by = { Authorization: `Bearer ${made.key}` };
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = by) => {
    const answer = await api.request(method, path, body, headers);
    return { status: answer.status, text: await answer.text() };
  };
  const exchange = () => ask('POST', '/v1/signin/exchange', { code });
  expect((await exchange()).text).toContain(NAME);

  // Another set-up link, another consent by it, and a round that fails.
  const renewed = await api.json<{ setupUrl: string }>('POST', '/v1/tenants/acme/setup-link');
  const tokenOf = (url: string) => url.slice(url.lastIndexOf('/') + 1);
  const fault = { kind: 'status', status: 403, code: 'Authorization_RequestDenied', message: `${NAME} is refused` };
  await deployment.emulator.control('POST', 'faults', { path: '/users/delta', times: 3, fault });
  await api.json('POST', '/v1/tenants/acme/sync');
  await deployment.emulator.control('POST', `tenants/${directory.id}/mutate`, { count: 10, seed: 1 });
  await deployment.caughtUp('acme');
  const { data: faults } = await deployment.emulator.control<{ data: { hits: number }[] }>('GET', 'faults');
  expect(faults.map(({ hits }) => hits > 0)).toEqual([true]);

  const errors = [
    await exchange(),
    await ask('GET', '/v1/tenants', undefined, { Authorization: `Bearer ${made.key}x` }),
    await ask('PATCH', '/v1/tenants/acme', { name: '' }),
    await ask('GET', `/connect/${tokenOf(setupUrl)}`, undefined, {}),
    await ask('GET', `/connect/${tokenOf(renewed.setupUrl)}x`, undefined, {}),
    await ask('GET', `/signin/callback?code=${code}&state=${PRODUCT_STATE}`, undefined, {}),
  ];
  expect(errors.map(({ status }) => status)).toEqual([400, 401, 400, 404, 404, 400]);
  const audit = (await ask('GET', '/v1/audit?limit=1000')).text;
  const diagnostics = (await ask('GET', '/v1/tenants/acme/diagnostics')).text;
  const metrics = (await ask('GET', '/metrics')).text;
  const histories = await keptByTemporal(deployment.namespace, 'acme');
  const logs = deployment.logs();

  // Things that must be there prove that each was looked into, and that all of it happened.
  expect(audit).toContain('POST /v1/api-keys');
  expect(diagnostics).toContain('second_credential');
  expect(metrics).toContain('entra_sync_tenants');
  expect(histories.join()).toContain('syncSlice');
  expect(logs).toContain('/v1/signin/exchange');
  const authorization = `Basic ${Buffer.from(`someone:${PROXY_PASSWORD}`).toString('base64')}`;
  expect(new Set(proxy.seen.map((one) => one.authorization))).toEqual(new Set([authorization]));

  const secrets = {
    ...{ first: FIRST_SECRET, second: CLIENT_SECRET, proxy: PROXY_PASSWORD, proxyHeader: authorization.slice(6) },
    ...{ bootstrap: deployment.apiKey, key: made.key, encryption: deployment.encryptionKeys.split(':')[1] ?? '' },
    ...{ code, link: tokenOf(setupUrl), renewed: tokenOf(renewed.setupUrl), productState: PRODUCT_STATE },
  };
  const people = { name: NAME, address: ADDRESS, surname: 'Zitronenfalter' };
  const links = { delta: 'deltatoken', skip: 'skiptoken' };
  const places = { audit, diagnostics, metrics, logs, histories: histories.join('\n'), errors: JSON.stringify(errors) };
  for (const [place, text] of Object.entries(places)) {
    for (const [what, value] of Object.entries({ ...secrets, ...people, ...links })) {
      expect(value.length).toBeGreaterThan(5);
      expect({ place, what, found: text.toLowerCase().includes(value.toLowerCase()) }).toEqual({
        place,
        what,
        found: false,
      });
    }
    expect([place, /eyJ[\w-]{10,}\.eyJ/.test(text)]).toEqual([place, false]); // a JWT
  }
  if (deployment.databaseUrl !== undefined) {
    const db = openDatabase(openPostgres(deployment.databaseUrl, 1, pino({ level: 'silent' })));
    try {
      for (const [what, value] of Object.entries({ ...secrets, token: 'eyJ0' })) {
        expect([what, await tablesWith(db, value)]).toEqual([what, []]);
      }
      expect(await tablesWith(db, NAME)).toContain('directory_user');
    } finally {
      await db.destroy();
    }
  }
}, 120_000);
