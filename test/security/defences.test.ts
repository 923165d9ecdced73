import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { listen, ReadinessBoard } from '../../src/http-server.ts';
import { API_KEY, startApi, type ApiUnderTest } from '../api/support/api-under-test.ts';
import { Visitor } from '../api/support/browser.ts';
import { fieldsOf, samplesOf, type Sample } from './requests.ts';

let api: ApiUnderTest;
let samples: readonly Sample[];
beforeAll(async () => {
  api = await startApi();
  samples = samplesOf(api.declared.document);
});
afterAll(() => api.close());

const ADDRESS = /ur[li]s?$|proxy|host|address|endpoint|webhook|callback/i;
const form = 'application/x-www-form-urlencoded';

describe('every route', () => {
  test('answers with the headers that keep a browser from doing more than is meant', async () => {
    const asked = samples.map(({ method, path, needsKey, body, type }) => ({
      method,
      path: path({ id: 'nobody' }),
      options: {
        key: needsKey ? API_KEY : null,
        ...(type === form ? { raw: '', headers: { 'Content-Type': form } } : { body }),
      },
    }));
    const refused = [
      { method: 'GET', path: '/v1/tenants', options: { key: null } },
      { method: 'GET', path: '/nowhere', options: {} },
      { method: 'PUT', path: '/v1/tenants', options: {} },
      { method: 'GET', path: '/v1/tenants/%E0%A4%A', options: {} },
    ];
    for (const { method, path, options } of [...asked, ...refused]) {
      const { headers } = await api.call(method, path, options);
      expect([method, path, headers.get('content-security-policy') ?? '']).toEqual([
        method,
        path,
        expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
      ]);
      expect([path, headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([
        path,
        'nosniff',
        'DENY',
      ]);
      expect([path, headers.get('referrer-policy'), headers.get('x-powered-by')]).toEqual([path, 'no-referrer', null]);
      expect([path, headers.get('access-control-allow-origin')]).toEqual([path, null]);
      if (!path.startsWith('/assets/') && path !== '/nowhere' && !path.includes('%E0')) {
        expect([path, headers.get('cache-control')]).toEqual([path, method === 'PUT' ? null : 'no-store']);
      }
    }
  });

  test('that takes a body takes no endless one', async () => {
    const taking = samples.filter(({ type }) => type !== undefined);
    expect(taking.length).toBeGreaterThan(6);
    for (const { method, path, needsKey, type = '' } of taking) {
      const raw = type === form ? `state=${'x'.repeat(5_000_000)}` : JSON.stringify({ x: 'x'.repeat(5_000_000) });
      const answer = await api.call(method, path({ id: 'nobody' }), {
        ...{ key: needsKey ? API_KEY : null, raw, headers: { 'Content-Type': type } },
      });
      expect([method, path({}), answer.status]).toEqual([method, path({}), 413]);
    }
  });
});

test('what answers before the API is up, and beside a worker, carries such headers too', async () => {
  const server = await listen(0, new ReadinessBoard(), new Registry());
  for (const path of ['/healthz', '/readyz', '/metrics', '/v1/tenants']) {
    const { headers } = await fetch(`http://127.0.0.1:${server.port}${path}`);
    expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
    expect([path, headers.get('content-security-policy')]).toEqual([
      path,
      expect.stringContaining("default-src 'none'"),
    ]);
  }
  await server.close();
});

describe('whoever tries out keys', () => {
  test('is turned away for a while, and nobody who has a good one', async () => {
    const busy = await startApi();
    try {
      const statuses: number[] = [];
      for (let n = 0; n < 310; n += 1)
        statuses.push((await busy.call('GET', '/v1/tenants', { key: `es_${n}` })).status);
      expect(new Set(statuses.slice(0, 300))).toEqual(new Set([401]));
      expect(new Set(statuses.slice(300))).toEqual(new Set([429]));
      const turnedAway = await busy.call('GET', '/v1/events', { key: null });
      expect(turnedAway).toMatchObject({ status: 429, body: { type: '/problems/too-many-requests' } });
      expect(turnedAway.headers.get('retry-after')).toBe('60');
      expect((await busy.call('GET', '/v1/tenants')).status).toBe(200);
    } finally {
      await busy.close();
    }
  });
});

describe('an address that a caller gives', () => {
  let connections = 0;
  let listener: Server;
  let origin: string;
  beforeAll(async () => {
    listener = createServer((_, response) => void response.end());
    listener.on('connection', () => (connections += 1));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    origin = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  });
  afterAll(() => void listener.close());

  test('is looked at in every place that takes one, and never asked by us', async () => {
    const inner = `https://${origin}/inner`;
    const body = {
      id: 'with-urls',
      ...{
        logoUrl: inner,
        returnUrl: inner,
        contact: inner,
        expectedEntraTenant: '9f4c1f1e-6d0a-4c1b-9c3a-0f6a2b7a1c55',
      },
      signIn: { returnUrls: [inner, `http://${origin}/inner`] },
    };
    // A field of tomorrow that takes an address has to be asked for here.
    expect(new Set(fieldsOf(api.declared.document).filter((name) => ADDRESS.test(name)))).toEqual(
      new Set(['logoUrl', 'returnUrl', 'returnUrls']),
    );
    const created = await api.call('POST', '/v1/tenants', { body });
    expect(created.status).toBe(201);
    const visitor = new Visitor(api);
    const { state } = await visitor.start(created.body.setupUrl);
    await visitor.callback({ error: 'access_denied', error_description: 'AADSTS90094: no', state });
    for (const path of ['', '/start', '/status']) await visitor.open(new URL(created.body.setupUrl).pathname + path);
    for (const path of [
      `/signin/with-urls?return_to=${encodeURIComponent(inner)}`,
      `/signin/with-urls?return_to=${encodeURIComponent(`http://${origin}/other`)}`,
      `/Account/AdminConsent?tenantid=with-urls&redirect_uri=${encodeURIComponent(inner)}`,
    ]) {
      await visitor.open(path);
    }
    const batch = { value: [{ subscriptionId: 'x', resource: `https://${origin}/users`, '@odata.nextLink': inner }] };
    for (const kind of ['notifications', 'lifecycle']) {
      await api.call('POST', `/graph/${kind}?validationToken=${encodeURIComponent(inner)}`, { key: null });
      await api.call('POST', `/graph/${kind}`, { key: null, body: batch });
    }
    await api.call('GET', '/v1/tenants/with-urls/diagnostics');
    // What is counted is counted where somebody does ask.
    expect(connections).toBe(0);
    await fetch(`http://${origin}/`);
    expect(connections).toBe(1);
  });

  test.each([
    'http://127.0.0.1/logo.svg',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://user:password@a.example/',
    'https://a.example; script-src *',
    'https://[::1]/',
    '//a.example/',
  ])('is refused where browsers are not to load it: %s', async (logoUrl) => {
    expect(await api.call('POST', '/v1/tenants', { body: { logoUrl } })).toMatchObject({ status: 400 });
  });

  test('could not be asked from anywhere: requests of ours leave by three doors', () => {
    const root = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '../../src');
    const asking = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .filter((file) =>
        /\bfetch\(|from '(undici|node:(https?|net|tls|http2|dgram|dns))/.test(readFileSync(file, 'utf8')),
      )
      .map((file) => relative(root, file))
      .filter((file) => !file.startsWith('graph/'));
    expect(asking.sort()).toEqual([
      'cli/call-api.ts', // the operator's own --url
      'http-server.ts', // listens
      'temporal/cli-download.ts', // Temporal's releases
      'temporal/ports.ts', // listens
    ]);
  });
});
