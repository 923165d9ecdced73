import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const CLI = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url));
const TENANT = {
  id: 'acme',
  state: 'attention',
  setupUrl: 'http://localhost/connect/x',
  asOf: null,
  counts: { users: 1, groups: 2, memberships: 3 },
  problem: { title: 'Switched off', who: 'customer administrator', steps: ['Switch it on'] },
};
const FINDINGS = [
  {
    code: 'application_disabled',
    level: 'error',
    title: 'Switched off',
    who: 'customer administrator',
    steps: ['Switch it on'],
    evidence: { requestId: 'r-1' },
    link: 'https://entra.microsoft.com',
  },
  { code: 'egress', level: 'ok', title: 'It is reached', who: null, steps: [], evidence: {} },
];
const asked: string[] = [];
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request: IncomingMessage, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const missing = request.url?.includes('missing');
    response.writeHead(missing ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(
      JSON.stringify(
        missing
          ? { title: 'Unknown tenant' }
          : request.url?.includes('?')
            ? { data: [TENANT], nextCursor: null }
            : request.url?.endsWith('/diagnostics')
              ? { findings: FINDINGS }
              : TENANT,
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const run = (...args: string[]) => runWith({}, ...args);
const runWith = (more: Record<string, string>, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = { PATH: process.env['PATH'], PUBLIC_URL: url, API_KEY: 'secret-key', ...more };
    execFile(process.execPath, [CLI, ...args], { env }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });

test('lists tenants in lines, with what stands in the way and who must act', async () => {
  const { code, out } = await run('tenants');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^acme +attention +1 users, 2 groups, 3 memberships, never synced\n {2}Switched off \(customer administrator\)/,
  );
  expect(asked.at(-1)).toBe('GET /v1/tenants?limit=1000 Bearer secret-key');
});

test('prints the answer itself for programs', async () => {
  expect(JSON.parse((await run('--json', 'show', 'acme')).out)).toEqual(TENANT);
});

test('acts on a tenant, and deletes only when told twice', async () => {
  await run('pause', 'acme');
  expect(asked.at(-1)).toContain('POST /v1/tenants/acme/pause');
  const before = asked.length;
  expect((await run('delete', 'acme')).code).toBe(1);
  expect(asked).toHaveLength(before);
  await run('delete', 'acme', '--yes');
  expect(asked.at(-1)).toContain('DELETE /v1/tenants/acme');
});

test('says in a sentence what went wrong, and never the key', async () => {
  const { code, err } = await run('show', 'missing');
  expect(code).toBe(1);
  expect(err).toContain('404 Unknown tenant');
  const unreachable = await run('--url', 'http://127.0.0.1:9', 'tenants');
  expect(unreachable.err).toContain('cannot be reached');
  expect(err + unreachable.err).not.toContain('secret-key');
});

test('the doctor of a tenant says what is wrong, who must act and how, and ends with 1', async () => {
  const { code, out } = await run('doctor', 'acme');
  expect(asked.at(-1)).toBe('GET /v1/tenants/acme/diagnostics Bearer secret-key');
  expect(code).toBe(1);
  expect(out).toBe(
    [
      '✗ Switched off',
      '  Who must act: customer administrator',
      '  - Switch it on',
      '  Evidence: {"requestId":"r-1"}',
      '  https://entra.microsoft.com',
      '✓ It is reached',
      '',
    ].join('\n'),
  );
});

test('the doctor without a tenant looks at the way to Microsoft from here, and at our credentials', async () => {
  const env = {
    ENTRA_CLIENT_ID: '6731de76-14a6-49ae-97bc-6eba6914391e',
    ENTRA_CLIENT_SECRET: '6731de76-14a6-49ae-97bc-6eba6914391e',
    ENTRA_AUTHORITY_HOST: 'https://127.0.0.1:9',
    GRAPH_BASE_URL: 'https://127.0.0.1:9',
  };
  const { code, out } = await runWith(env, '--json', 'doctor');
  expect(code).toBe(1);
  expect((JSON.parse(out) as { code: string }[]).map((finding) => finding.code)).toEqual([
    'egress_tcp',
    'credential_is_id',
  ]);
  const missing = await runWith({}, 'doctor');
  expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/ENTRA_CLIENT_ID must be set/)]);
});
