import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pg from 'pg';
import { Browser, connectAsAdministrator } from '../../demo/browser.ts';
import {
  environmentFor,
  freePort,
  startEmulatorProgram,
  startProduct,
  type EmulatorProgram,
} from '../../demo/launch.ts';
import type { Program } from '../../demo/process.ts';
import { ApiClient, type Snapshot, type TenantJson } from './api-client.ts';

export interface DirectoryJson {
  readonly id: string;
  readonly domain: string;
  readonly accounts: readonly { readonly id: string; readonly userPrincipalName: string; readonly part: string }[];
}

/** The product as processes beside an emulator, a Temporal server and a database: everything real, nothing shared with the test. */
export class Deployment {
  readonly dir: string;
  readonly taskQueue = `test-${randomUUID()}`;
  readonly apiKey = `es_${randomBytes(16).toString('hex')}`;
  readonly encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;
  readonly api: ApiClient;
  readonly publicUrl: string;
  readonly emulator: EmulatorProgram;
  /** Extra environment for processes started from now on. */
  env: NodeJS.ProcessEnv = {};
  readonly #port: number;
  readonly #databaseServer: string | undefined;
  readonly #databaseUrl: string | undefined;
  readonly #temporalAddress: string;
  /** Of this deployment alone: workflows are named by tenants, and tests of all files share one server. */
  readonly namespace: string;
  readonly #programs = new Set<Program>();

  private constructor(
    parts: {
      port: number;
      emulator: EmulatorProgram;
      databaseServer: string | undefined;
      databaseUrl: string | undefined;
      temporalAddress: string;
      namespace: string;
    },
    dir: string,
  ) {
    this.#port = parts.port;
    this.emulator = parts.emulator;
    this.#databaseServer = parts.databaseServer;
    this.#databaseUrl = parts.databaseUrl;
    this.#temporalAddress = parts.temporalAddress;
    this.namespace = parts.namespace;
    this.publicUrl = `http://localhost:${parts.port}`;
    this.api = new ApiClient(this.publicUrl, this.apiKey);
    this.dir = dir;
  }

  static async start(
    options: { readonly preset?: string; readonly temporalAddress?: string; readonly databaseServer?: string } = {},
  ): Promise<Deployment> {
    const dir = mkdtempSync(join(tmpdir(), 'entra-sync-test-'));
    const port = await freePort();
    const emulator = await startEmulatorProgram({
      dir,
      publicUrl: `http://localhost:${port}`,
      preset: options.preset ?? 'demo',
    });
    const databaseServer = options.databaseServer ?? (process.env['DATABASE_URL'] || undefined);
    const databaseUrl = databaseServer && (await createDatabase(databaseServer));
    // A server of the test's own has one namespace, and may lose it.
    const temporalAddress = options.temporalAddress ?? process.env['TEST_TEMPORAL_ADDRESS'] ?? '';
    const namespace = options.temporalAddress === undefined ? await createNamespace(temporalAddress) : 'default';
    return new Deployment(
      {
        port,
        emulator,
        databaseServer,
        databaseUrl,
        temporalAddress,
        namespace,
      },
      dir,
    );
  }

  /** PostgreSQL lets API and worker be processes of their own; PGlite belongs to one. */
  get separable(): boolean {
    return this.#databaseUrl !== undefined;
  }

  get databaseUrl(): string | undefined {
    return this.#databaseUrl;
  }

  startProduct(role: 'all' | 'api' | 'worker', port = this.#port): Program {
    const node = process.env['NODE_24'];
    const program = startProduct({
      role,
      dir: this.dir,
      env: {
        ...environmentFor(this.emulator),
        DATA_DIR: join(this.dir, 'data'),
        DATABASE_URL: this.#databaseUrl ?? '',
        TEMPORAL_ADDRESS: this.#temporalAddress,
        TEMPORAL_NAMESPACE: this.namespace,
        TEMPORAL_TASK_QUEUE: this.taskQueue,
        PORT: String(port),
        PUBLIC_URL: this.publicUrl,
        API_KEY: this.apiKey,
        ENCRYPTION_KEYS: this.encryptionKeys,
        SYNC_INTERVAL: '1s',
        ...this.env,
      },
      ...(node === undefined ? {} : { node }),
    });
    this.#programs.add(program);
    return program;
  }

  async ready(port = this.#port): Promise<void> {
    const end = Date.now() + 180_000;
    for (;;) {
      const answer = await fetch(`http://localhost:${port}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      if (Date.now() > end) throw new Error(`Not ready: ${await answer?.text()}; see ${this.dir}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async directories(): Promise<readonly DirectoryJson[]> {
    return (await this.emulator.control<{ data: DirectoryJson[] }>('GET', 'tenants')).data;
  }

  /** Makes a directory in the emulator. */
  directory(spec: Record<string, unknown>): Promise<DirectoryJson> {
    return this.emulator.control<DirectoryJson>('POST', 'tenants', spec);
  }

  administratorOf(directory: DirectoryJson): string {
    const account = directory.accounts.find(({ part }) => /admin/i.test(part));
    if (!account) throw new Error(`${directory.domain} has no administrator`);
    return account.userPrincipalName;
  }

  /** Creates an environment and consents as the directory's administrator would. */
  async connect(id: string, directory: DirectoryJson): Promise<TenantJson> {
    const tenant = await this.api.createTenant({ id });
    const browser = new Browser(this.emulator.ca);
    const page = await connectAsAdministrator(browser, tenant.setupUrl, this.administratorOf(directory));
    if (page.status !== 200) throw new Error(`The consent ended with ${page.status}: ${page.text}`);
    return tenant;
  }

  /** What Microsoft really has, in the shape of a snapshot. */
  async truth(directoryId: string): Promise<Pick<Snapshot, 'users' | 'groups' | 'memberships'>> {
    const truth = await this.emulator.control<Record<'users' | 'groups' | 'memberships', Record<string, unknown>[]>>(
      'GET',
      `tenants/${directoryId}/truth`,
    );
    const keyed = (rows: readonly Record<string, unknown>[], key: (row: Record<string, unknown>) => string) =>
      new Map(rows.map((row) => [key(row), row] as const));
    return {
      users: keyed(truth.users, (row) => String(row['id'])),
      groups: keyed(truth.groups, (row) => String(row['id'])),
      memberships: keyed(truth.memberships, (row) => `${String(row['groupId'])}:${String(row['memberId'])}`),
    };
  }

  /** Waits until a round that began after now is complete: what Microsoft shows now is in. */
  async caughtUp(id: string, timeoutMs = 240_000): Promise<TenantJson> {
    const now = new Date().toISOString();
    return this.api.until(id, 'a round after now is complete', (tenant) => (tenant.asOf ?? '') > now, timeoutMs);
  }

  /** The mirror, by the API, equals what Microsoft has. */
  async expectMirror(id: string, directoryId: string): Promise<Snapshot> {
    const snapshot = await this.api.snapshot(id);
    const difference = firstDifference(snapshot, await this.truth(directoryId));
    if (difference !== undefined) throw new Error(`The mirror of ${id} is not the directory: ${difference}`);
    return snapshot;
  }

  /** Everything that our processes said. */
  logs(): string {
    return readdirSync(this.dir)
      .filter((name) => name.startsWith('entra-sync-'))
      .map((name) => readFileSync(join(this.dir, name), 'utf8'))
      .join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.stop()));
    await this.emulator.stop();
    if (this.#databaseServer && this.#databaseUrl) await dropDatabase(this.#databaseServer, this.#databaseUrl);
    if (process.env['KEEP_LOGS'] === undefined) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A namespace without our search attributes: registering them is the product's business. */
async function createNamespace(address: string): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address });
  const workflowExecutionRetentionPeriod = msToTs('1 day');
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  await connection.close();
  return namespace;
}

/** A database of our own on a server that others may use too. */
async function createDatabase(server: string): Promise<string> {
  const name = `entra_sync_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function dropDatabase(server: string, databaseUrl: string): Promise<void> {
  await onServer(server, `DROP DATABASE IF EXISTS ${new URL(databaseUrl).pathname.slice(1)} WITH (FORCE)`);
}

async function onServer(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(statement);
  await client.end();
}

const KINDS = ['users', 'groups', 'memberships'] as const;

/** Where two snapshots differ first, in words: a whole dump of 20,000 users helps nobody. */
export function firstDifference(
  actual: Pick<Snapshot, (typeof KINDS)[number]>,
  expected: Pick<Snapshot, (typeof KINDS)[number]>,
): string | undefined {
  for (const kind of KINDS) {
    const [mine, theirs] = [actual[kind], expected[kind]];
    for (const [key, value] of theirs) {
      const other = mine.get(key);
      if (other === undefined) return `${kind} lacks ${key} (${mine.size} of ${theirs.size})`;
      // Most are the same to the letter; only the rest is worth sorting.
      if (JSON.stringify(other) === JSON.stringify(value) || canonical(other) === canonical(value)) continue;
      return `${kind} ${key}: ${canonical(other)} instead of ${canonical(value)}`;
    }
    for (const key of mine.keys())
      if (!theirs.has(key)) return `${kind} has ${key} too many (${mine.size} of ${theirs.size})`;
  }
  return undefined;
}

/** JSON with sorted keys; times in one notation. */
function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`;
}
