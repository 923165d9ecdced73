import { createServer as createProxy, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import type { Finding } from '../../src/domain/doctor.ts';
import type { Graph, GraphConfig } from '../../src/graph/graph.ts';
import { outboundFetch } from '../../src/graph/outbound.ts';
import { CLIENT_ID, CLIENT_SECRET, type TestTenant } from '../emulator/test-emulator.ts';
import { startEmulatedGraph, type EmulatedGraph } from '../support/emulated-graph.ts';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { recordPhase, tenantRow } from './support/seed.ts';

// Each fault is planted in the emulator or in the network, and what the diagnosis says first must name it.

let microsoft: EmulatedGraph;
let api: ApiUnderTest;
let directory: TestTenant;
let ca: string;
let current: Graph;
const closers: (() => Promise<unknown>)[] = [];
let made = 0;

beforeAll(async () => {
  microsoft = await startEmulatedGraph();
  ca = await readFile(microsoft.emulator.caFile, 'utf8');
  current = microsoft.graph();
  api = await startApi({
    microsoft: {
      ...current,
      lookAtHosts: () => current.lookAtHosts(),
      lookAtCredentials: () => current.lookAtCredentials(),
      inspect: (entraTenant, signal) => current.inspect(entraTenant, signal),
    },
  });
});
afterAll(async () => {
  await api.close();
  await microsoft.close();
});
beforeEach(async () => {
  directory = await microsoft.emulator.createConsentedTenant({ domain: `d${made}.example` });
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await microsoft.emulator.control('POST', 'reset');
});

/** A connected tenant, with a Microsoft that is reached as `change` says. */
async function connected(change: Partial<GraphConfig> = {}, more = {}): Promise<{ id: string; setupUrl: string }> {
  const wanted = { id: `doctor-${++made}`, sharedDirectory: true, ...more };
  const { body } = await api.call('POST', '/v1/tenants', { body: wanted });
  await api.store.consents.bind((await tenantRow(api.store, body.id)).no, directory.id);
  await recordPhase(api.store, body.id, { phase: 'delta_sync' });
  current = microsoft.graph({ ca, ...change });
  return body;
}

/** What is found of it. */
async function diagnose(change: Partial<GraphConfig> = {}, more = {}): Promise<readonly Finding[]> {
  const { id } = await connected(change, more);
  const { text, body: said } = await api.call('GET', `/v1/tenants/${id}/diagnostics`);
  expect(text).not.toContain(CLIENT_SECRET);
  expect(text).not.toMatch(/eyJ/);
  return said.findings;
}

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

const app = (action: string, body: object = {}) =>
  microsoft.emulator.control('POST', `tenants/${directory.id}/app/${action}`, body);

describe('the first finding names', () => {
  test('nothing where all is well, and shows what was looked at', async () => {
    const findings = await diagnose();
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ code }) => code))).toEqual(
      new Set([
        'egress',
        'clock',
        'credential',
        'enterprise_application',
        'permissions',
        'endpoint',
        'consent',
        'first_sync',
        'subscriptions',
      ]),
    );
    expect(findings.find(({ code }) => code === 'egress')?.evidence).toMatchObject({
      proxy: null,
      issuer: expect.any(String),
    });
    expect(findings.find(({ code }) => code === 'permissions')?.evidence).toMatchObject({
      granted: expect.arrayContaining(['User.Read.All', 'Group.Read.All', 'Application.Read.All']),
    });
    expect(findings.filter(({ code }) => code === 'endpoint')).toHaveLength(4);
  });

  test.each(['graphBaseUrl', 'authorityHost'])(
    'a host that is blocked, and not what follows from it: %s',
    async (host) => {
      const closed = createTcpServer();
      const port = await listening(closed);
      await closers.pop()?.();
      const [first] = await diagnose({ [host]: `https://127.0.0.1:${port}` });
      expect(first).toMatchObject({
        code: 'egress_tcp',
        level: 'error',
        who: 'product operator',
        title: expect.stringContaining(`127.0.0.1:${port}`),
      });
      expect(first?.evidence).toMatchObject({ error: 'ECONNREFUSED' });
    },
  );

  test('a host without an address', async () => {
    const [first] = await diagnose({ authorityHost: 'https://login.nowhere.invalid' });
    expect(first).toMatchObject({ code: 'egress_dns', title: expect.stringContaining('login.nowhere.invalid') });
  });

  test('a firewall that opens TLS, by the authority that it uses', async () => {
    const pems = await generate([{ name: 'commonName', value: 'Corp Firewall CA' }]);
    const firewall = createTlsServer({ key: pems.private, cert: pems.cert }, (_request, response) => response.end());
    const port = await listening(firewall);
    const [first] = await diagnose({ authorityHost: `https://localhost:${port}` });
    expect(first).toMatchObject({ code: 'egress_tls', title: expect.stringContaining('Corp Firewall CA') });
    expect(first?.steps.join()).toMatch(/NODE_EXTRA_CA_CERTS/);
  });

  test('a proxy that refuses, and is content with one that lets through', async () => {
    const targets: string[] = [];
    let refuses = true;
    const proxy = createProxy();
    proxy.on('connect', (request, socket: Socket) => {
      targets.push(request.url ?? '');
      if (refuses) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      const [host, port] = (request.url ?? '').split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const end of [onward, socket]) {
        end.on('error', () => undefined);
        closers.push(async () => end.destroy());
      }
    });
    const port = await listening(proxy);
    const env = { HTTPS_PROXY: `http://someone:canary@127.0.0.1:${port}` };
    const change = { env, fetch: outboundFetch(env, ca) };
    const [first] = await diagnose(change);
    expect(first).toMatchObject({ code: 'egress_proxy', evidence: { error: 'HTTP 407', proxy: `127.0.0.1:${port}` } });
    refuses = false;
    const well = await diagnose(change);
    expect(well.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(JSON.stringify([first, well])).not.toContain('canary');
    expect(new Set(targets)).toEqual(new Set([new URL(microsoft.emulator.httpsUrl).host]));
  });

  test('a clock that is ten minutes off', async () => {
    await microsoft.emulator.control('POST', 'clock', { advanceMs: 600_000 });
    const [first] = await diagnose();
    await microsoft.emulator.control('POST', 'clock', { advanceMs: -600_000 });
    expect(first).toMatchObject({
      code: 'clock',
      level: 'error',
      title: expect.stringMatching(/(599|60\d) seconds behind/),
    });
  });

  test('an application that is switched off', async () => {
    await app('settings', { accountEnabled: false });
    const [first] = await diagnose();
    expect(first).toMatchObject({
      code: 'application_disabled',
      who: 'customer administrator',
      evidence: { aadsts: 7_000_112, requestId: expect.any(String) },
      steps: [expect.stringContaining('"Enabled for users to sign-in?"')],
      link: expect.stringContaining('7000112'),
    });
  });

  test('that assignment is required, and who is assigned', async () => {
    await app('settings', { appRoleAssignmentRequired: true });
    await app('assign', { principalId: directory.accounts[3]?.id });
    const [first] = await diagnose();
    expect(first).toMatchObject({
      code: 'assignment_required',
      who: 'customer administrator',
      title: expect.not.stringContaining('(User)'),
      evidence: { applicationId: CLIENT_ID, assigned: [expect.stringContaining('(User)')] },
      link: expect.stringContaining(CLIENT_ID),
    });
  });

  test.each(['User.Read.All', 'Group.Read.All', 'Application.Read.All'])(
    'the permission %s where it is missing',
    async (permission) => {
      await app('roles/remove', { permission });
      const [first] = await diagnose();
      expect(first).toMatchObject({
        code: 'missing_permissions',
        title: expect.stringContaining(permission),
        who: 'customer administrator',
        steps: [expect.stringContaining('Grant admin consent')],
      });
    },
  );

  test.each([
    ['mail', 'Mail.Read'],
    ['calendar', 'Calendars.Read'],
  ])('the permission that the profile %s needs, where it is missing', async (profile, permission) => {
    await app('roles/remove', { permission });
    const [first] = await diagnose({}, { profiles: ['directory', profile] });
    expect(first).toMatchObject({
      code: 'missing_permissions',
      title: expect.stringContaining(permission),
      who: 'customer administrator',
    });
  });

  test('a secret that has expired, and is content with a second one that has not', async () => {
    const secrets = [{ value: 'old', expiresAt: 1 }, { value: CLIENT_SECRET }];
    await microsoft.emulator.control('PUT', `registrations/${CLIENT_ID}`, { secrets });
    const credential = { kind: 'secret', secret: 'old' } as const;
    const [first] = await diagnose({ credential });
    expect(first).toMatchObject({
      code: 'credentials_rejected',
      who: 'product operator',
      evidence: { aadsts: 7_000_222 },
    });
    const [second, next] = await diagnose({ credential, nextCredential: { kind: 'secret', secret: CLIENT_SECRET } });
    expect(second).toMatchObject({ code: 'second_credential', level: 'warning' });
    expect(next?.level).toBe('ok');
  });

  test('an endpoint that refuses although all is granted', async () => {
    const fault = { kind: 'status', status: 403, code: 'Authorization_RequestDenied' };
    await microsoft.emulator.control('POST', 'faults', { path: '/groups/delta', fault });
    const [first] = await diagnose();
    expect(first).toMatchObject({
      code: 'endpoint',
      title: expect.stringMatching(/^groups\/delta/),
      evidence: { requestId: expect.any(String) },
    });
  });
});

describe("the page for the customer's administrator", () => {
  const GOOD = 'Nothing is in the way that you would have to change.';
  const look = (url: string, page: string) => api.call('GET', `${new URL(url).pathname}/${page}`, { key: null });
  const check = async (change: Partial<GraphConfig> = {}) => {
    const { setupUrl } = await connected(change);
    expect((await look(setupUrl, 'status')).text).toMatch(/<a href="[^"]*\/check">/);
    return (await look(setupUrl, 'check')).text;
  };

  test('says that nothing is in the way', async () => {
    expect(await check()).toContain(GOOD);
  });

  test('has steps, link and request id of an application that is switched off', async () => {
    await app('settings', { accountEnabled: false });
    const page = await check();
    expect(page).toMatch(/AADSTS7000112|switched off/);
    expect(page).toContain('Properties: set');
    expect(page).toMatch(/href="https:[^"]*7000112/);
    expect(page).toMatch(/request id: <code>[0-9a-f-]{36}/);
    expect(page).not.toContain(GOOD);
  });

  test('names the permission that is missing, and that assignment is required without naming who is assigned', async () => {
    await app('roles/remove', { permission: 'Group.Read.All' });
    await app('settings', { appRoleAssignmentRequired: true });
    await app('assign', { principalId: directory.accounts[3]?.id });
    const page = await check();
    expect(page).toContain('The permission Group.Read.All is missing');
    expect(page).toContain('Assignment required?');
    expect(page).toContain('https://entra.microsoft.com/');
    expect(page).not.toContain('(User)');
  });

  test('leaves out what is for whoever runs the product', async () => {
    const page = await check({
      credential: { kind: 'secret', secret: 'wrong' },
      authorityHost: 'https://nowhere.invalid',
    });
    expect(page).toContain('about which you need not do anything');
    expect(page).not.toContain(GOOD);
    expect(page).not.toMatch(/nowhere\.invalid|ENTRA_|HTTPS_PROXY/);
  });

  test('asks nothing by itself, nor before a consent, and only so often', async () => {
    const asked = async () => (await microsoft.emulator.control('GET', 'requests'))['total'];
    const { setupUrl } = await connected();
    const before = await asked();
    await look(setupUrl, 'status');
    const { body } = await api.call('POST', '/v1/tenants', { body: {} });
    expect((await look(body.setupUrl, 'status')).text).not.toContain('/check"');
    expect((await look(body.setupUrl, 'check')).text).not.toContain('What Microsoft says now');
    expect(await asked()).toBe(before);
    for (let n = 0; n < 5; n++) expect((await look(setupUrl, 'check')).status).toBe(200);
    const refused = await look(setupUrl, 'check');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect((await look(body.setupUrl, 'check')).status).toBe(200);
    expect((await look(setupUrl, 'status')).status).toBe(200);
  });
});

// The last, since it holds all tenants.
describe('Microsoft that asks us to slow down', () => {
  test.each(['tenant', 'application'])(
    'says so, and until when, where it asks for that in the name of the %s',
    async (whose) => {
      const fault = { kind: 'status', status: 429 };
      await microsoft.emulator.control('POST', 'faults', { path: '^/v1.0/(users|groups)', fault });
      const { id } = await connected();
      const { no } = await tenantRow(api.store, id);
      const until = new Date(Date.now() + 90_000);
      await api.store.sync.throttle(whose === 'tenant' ? no : 'application', until);
      await recordPhase(api.store, id, {
        phase: 'delta_sync',
        problem: { code: 'throttled', since: new Date().toISOString() },
      });
      const said: readonly Finding[] = (await api.call('GET', `/v1/tenants/${id}/diagnostics`)).body.findings;
      expect(said[0]).toMatchObject({
        code: 'throttled',
        level: 'warning',
        title: `Microsoft asks us to slow down: nothing is asked before ${until.toISOString()}`,
        who: 'nobody: wait',
        evidence: { until: until.toISOString(), limitOf: whose },
      });
      expect(said.filter(({ code }) => code === 'throttled')).toHaveLength(1);
      const probes = said.filter(({ code }) => code === 'endpoint').map(({ title }) => title);
      expect(probes).toContain('users: Microsoft asks us to slow down');
      expect(probes.join()).not.toContain('cannot be reached');
    },
  );
});
