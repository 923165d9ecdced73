/**
 * Asks the running service everything that its own `/openapi.json` allows, and much that it does not:
 * `npm run fuzz:api [-- --seed 1]`. Needs Schemathesis (`pip install schemathesis`), on PATH or named by SCHEMATHESIS.
 * Fails where the service answers with 5xx, or with a status, type, header or body that the document does not tell.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Browser, connectAsAdministrator } from '../demo/browser.ts';
import { environmentFor, freePort, startEmulatorProgram, startProduct } from '../demo/launch.ts';
import { apiAt, tell, until } from '../demo/story.ts';

const RETURN_URL = 'https://app.example.com/in';
const STARTED_WITHIN_MS = 20 * 60_000; // Temporal may have to be built first
const options = new Command('fuzz-api')
  .option('--seed <number>', 'the same seed asks the same questions', '1')
  .option('--max-examples <number>', 'of each route', '30')
  .parse()
  .opts<{ seed: string; maxExamples: string }>();

interface Tenant {
  readonly state: string;
  readonly setupUrl: string;
}
interface Listed {
  readonly data: readonly { readonly id: string }[];
}
type Api = ReturnType<typeof apiAt>;

const dir = mkdtempSync(join(tmpdir(), 'entra-sync-fuzz-'));
const cleanUp: (() => Promise<unknown> | void)[] = [];

async function startService(): Promise<{ origin: string; apiKey: string; api: Api; setupUrls: readonly string[] }> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const emulator = await startEmulatorProgram({ dir, publicUrl: origin, preset: 'small' });
  cleanUp.push(() => emulator.stop());
  const apiKey = `es_${randomBytes(16).toString('hex')}`;
  const env = {
    ...environmentFor(emulator),
    ...{ DATA_DIR: join(dir, 'data'), PORT: String(port), PUBLIC_URL: origin, API_KEY: apiKey, LOG_LEVEL: 'warn' },
    ...{ DATABASE_URL: '', TEMPORAL_ADDRESS: '' },
  };
  const product = startProduct({ role: 'all', dir, env });
  cleanUp.push(() => product.stop());
  const ready = async () => ((await fetch(`${origin}/readyz`).catch(() => undefined))?.ok ? true : undefined);
  await Promise.race([
    until('the service', ready, STARTED_WITHIN_MS),
    product.line(() => false, STARTED_WITHIN_MS), // rejects where it ends
  ]);
  const api = apiAt(origin, apiKey);
  const [directory] = (
    await emulator.control<{ data: { accounts: { userPrincipalName: string }[] }[] }>('GET', 'tenants')
  ).data;
  const connected = await api<Tenant>('POST', '/v1/tenants', {
    ...{ id: 'connected', name: 'Connected', signIn: { returnUrls: [RETURN_URL] } },
  });
  const waiting = await api<Tenant>('POST', '/v1/tenants', { id: 'waiting', expectedEntraTenant: 'contoso.com' });
  await connectAsAdministrator(
    new Browser(emulator.ca),
    connected.setupUrl,
    directory?.accounts[0]?.userPrincipalName ?? 'nobody',
  );
  await until(
    'the first sync',
    async () => (await api<Tenant>('GET', '/v1/tenants/connected')).state === 'delta_sync' || undefined,
    120_000,
  );
  return { origin, apiKey, api, setupUrls: [connected.setupUrl, waiting.setupUrl] };
}

/**
 * Ids that lead somewhere, most of the time: guessed ones would only ever be answered 404. What ends a tenant is asked of
 * `doomed`, or soon nothing would be left to ask for.
 */
async function writeConfig(api: Api, setupUrls: readonly string[]): Promise<string> {
  const ids = async (kind: string) =>
    (await api<Listed>('GET', `/v1/tenants/connected/${kind}?limit=3`)).data.map(({ id }) => id);
  await api('POST', '/v1/tenants', { id: 'doomed' });
  const { id: keyId } = await api<{ id: string }>('POST', '/v1/api-keys', { name: 'fuzzed', role: 'reader' });
  const words = {
    tenants: ['connected', 'waiting'],
    doomed: ['doomed'],
    returns: [RETURN_URL],
    users: await ids('users'),
    groups: await ids('groups'),
    keys: [keyId],
    links: setupUrls.map((url) => url.slice(url.lastIndexOf('/') + 1)),
  };
  const mostly = (dictionary: keyof typeof words) => `{ dictionary = "${dictionary}", probability = 0.8 }`;
  const lines = [
    '[dictionaries]',
    // A list of texts reads the same in TOML as in JSON.
    ...Object.entries(words).map(([name, values]) => `${name} = { values = ${JSON.stringify(values)} }`),
    '[parameters]',
    `"path.id" = ${mostly('tenants')}`,
    `"query.tenant" = ${mostly('tenants')}`,
    `"query.tenantid" = ${mostly('tenants')}`,
    `"query.return_to" = ${mostly('returns')}`,
    `"path.userId" = ${mostly('users')}`,
    `"body.userId" = ${mostly('users')}`,
    `"path.groupId" = ${mostly('groups')}`,
    `"body.groups[*]" = ${mostly('groups')}`,
    `"path.token" = ${mostly('links')}`,
    `"path.keyId" = ${mostly('keys')}`,
    ...ENDING.flatMap((name) => [
      '[[operations]]',
      `include-name = "${name}"`,
      `parameters = { "path.id" = ${mostly('doomed')} }`,
    ]),
    // It may wait for half a minute, which is not what is looked at here.
    '[[operations]]',
    'include-name = "GET /v1/events"',
    'parameters = { "query.wait" = 1 }',
  ];
  const config = join(dir, 'schemathesis.toml');
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

/**
 * The sign-in and consent pages count what leads nowhere by address, and after thirty a minute would answer nothing but 429.
 * So every request has a connection of its own (`Connection: close`), and every connection an address: all of 127.0.0.0/8
 * is this machine on Linux. Elsewhere some requests end at the 429, which is documented as well.
 */
async function fromManyAddresses(origin: string): Promise<string> {
  const port = Number(new URL(origin).port);
  let next = 0;
  const forwarder = createServer((incoming) => {
    next += 1;
    const localAddress = process.platform === 'linux' ? `127.1.${(next >> 8) & 255}.${next & 255}` : undefined;
    const outgoing = connect({ port, host: '127.0.0.1', ...(localAddress === undefined ? {} : { localAddress }) });
    incoming.on('error', () => outgoing.destroy()).pipe(outgoing);
    outgoing.on('error', () => incoming.destroy()).pipe(incoming);
  });
  await new Promise<void>((done) => forwarder.listen(0, '127.0.0.1', done));
  cleanUp.push(() => void forwarder.close());
  return `http://127.0.0.1:${(forwarder.address() as AddressInfo).port}`;
}

async function fuzz(config: string, base: string, apiKey: string): Promise<number> {
  const args = [
    ...['--config-file', config, 'run', `${base}/openapi.json`, '--url', base],
    ...['-H', `Authorization: Bearer ${apiKey}`, '-H', 'Connection: close'],
    ...['--max-examples', options.maxExamples, '--seed', options.seed, '--generation-database', 'none'],
    // One worker: Python 3.11's parser, which Hypothesis uses, breaks now and then where threads share it.
    // Redirects are not followed, so that nothing here leaves for Microsoft and no route has to be left out.
    ...['--checks', CHECKS.join(','), '--phases', 'examples,coverage,fuzzing', '--workers', '1'],
    ...['--request-timeout', '40', '--continue-on-failure', '--warnings', 'off', '--no-color'],
  ];
  const named = process.env['SCHEMATHESIS'];
  // It keeps notes where it runs.
  const child = spawn(named === undefined ? 'schemathesis' : resolve(named), args, { stdio: 'inherit', cwd: dir });
  return new Promise((done, reject) => {
    child.once('error', (error) => reject(new Error(`Schemathesis did not start: ${error.message}`)));
    child.once('exit', (code) => done(code ?? 1));
  });
}

/** After these a tenant, or its set-up link, leads nowhere. */
const ENDING = [
  'DELETE /v1/tenants/{id}',
  'POST /v1/tenants/{id}/revoke',
  'POST /v1/tenants/{id}/setup-link',
  'DELETE /v1/tenants/{id}/setup-link',
];

/** Not whether all that is allowed is taken and nothing else: rules across fields, and states, stand in no schema. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'ignored_auth',
  'unsupported_method',
];

try {
  const { origin, apiKey, api, setupUrls } = await startService();
  const config = await writeConfig(api, setupUrls);
  process.exitCode = await fuzz(config, await fromManyAddresses(origin), apiKey);
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  for (const step of cleanUp.reverse()) await step();
  if (process.exitCode === 0) rmSync(dir, { recursive: true, force: true });
  else tell(`What the programs said is in ${dir}`);
}
