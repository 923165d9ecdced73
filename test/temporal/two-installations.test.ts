import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { sql } from 'kysely';
import { pino, type Logger } from 'pino';
import { failureInterceptor } from '../../src/activities/failure-interceptor.ts';
import { createActivities } from '../../src/activities/index.ts';
import { ownTenants } from '../../src/activities/own-tenants.ts';
import { createSealer } from '../../src/crypto/sealer.ts';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import type { IntentKind } from '../../src/domain/intent.ts';
import { workflowIdOf } from '../../src/domain/names.ts';
import { createGraph } from '../../src/graph/graph.ts';
import type { Store } from '../../src/store/store.ts';
import { createTenantHandles } from '../../src/temporal/tenant-handles.ts';
import { group, round, tenantRow, user } from '../api/support/seed.ts';
import { pgliteBackend, postgresBackend, type Backend } from '../store/backend.ts';
import { quietRuntime } from '../support/tenant-worker.ts';

const DATABASE_URL = process.env['DATABASE_URL'];
const ADDRESS = process.env['TEST_TEMPORAL_ADDRESS'] ?? '';
/** Nothing here asks Microsoft. */
const graph = createGraph({ clientId: randomUUID(), credential: { kind: 'secret', secret: 'x' }, cloud: 'global' });
const sealer = createSealer(parseEncryptionKeys(`test:${Buffer.alloc(32, 7).toString('base64')}`));

/** What one installation is, short of its API: a database, a worker, and the way to the workflows. */
class Installation {
  readonly store: Store;
  readonly logged: string[] = [];
  readonly #backend: Backend;
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #log: Logger;
  #rest: () => Promise<void> = async () => {};

  private constructor(backend: Backend, client: Client, taskQueue: string) {
    this.store = backend.store;
    this.#backend = backend;
    this.#client = client;
    this.#taskQueue = taskQueue;
    this.#log = pino({}, { write: (line: string) => void this.logged.push(line) });
  }

  static async open(client: Client, taskQueue: string): Promise<Installation> {
    const backend = await (DATABASE_URL ? postgresBackend(DATABASE_URL) : pgliteBackend());
    return new Installation(backend, client, taskQueue);
  }

  /** Gives the next tenant the number after this one, as databases did that both counted from one. */
  async countFrom(no: number): Promise<void> {
    await sql`SELECT setval(pg_get_serial_sequence('tenant', 'no'), ${sql.lit(no)})`.execute(this.#backend.db);
  }

  /** A tenant with a mirror; nothing of Temporal yet. */
  async tenant(id: string): Promise<number> {
    const created = await this.store.tenants.create({
      ...{ id, name: null, groupsToSync: [], expectedEntraTenant: null },
      ...{ requireApproval: false, sharedDirectory: false },
    });
    if (created === 'name_taken') throw new Error(`${id} is taken`);
    await round(this.store, id, [user(1), user(2)], [group(3, [[1, 'user']])]);
    return created.tenant.no;
  }

  async order(id: string, kind: IntentKind): Promise<void> {
    const { no } = await tenantRow(this.store, id);
    const deps = { client: this.#client, taskQueue: this.#taskQueue, store: this.store, log: this.#log };
    await createTenantHandles(deps).deliver(await this.store.intents.add(no, kind), id);
  }

  async work(): Promise<void> {
    const deps = { store: this.store, log: this.#log };
    // Of its own: one connection has one worker for a queue.
    const connection = await NativeConnection.connect({ address: ADDRESS });
    const { own } = createActivities({ ...deps, sealer, graph, syncIntervalMs: 1_000 });
    const worker = await Worker.create({
      connection,
      taskQueue: this.#taskQueue,
      workflowBundle: { codePath: process.env['TEST_WORKFLOW_BUNDLE'] ?? '' },
      activities: { ...own },
      interceptors: { activity: [failureInterceptor(deps.log), ownTenants(deps)] },
    });
    const finished = worker.run();
    this.#rest = async () => {
      worker.shutdown();
      await finished;
      await connection.close();
    };
  }

  /** Ends the worker. Between two Temporal gives work to whoever asked last: a test would wait for its luck. */
  async rest(): Promise<void> {
    await this.#rest();
    this.#rest = async () => {};
  }

  get refusals(): readonly string[] {
    return this.logged.filter((line) => line.includes('Work of another installation was refused'));
  }

  /** Every row of every table. */
  async everything(): Promise<unknown> {
    const { db } = this.#backend;
    const { rows: tables } = await sql<{ name: string }>`
      SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name`.execute(db);
    const all: Record<string, unknown> = {};
    for (const { name } of tables) {
      all[name] = (await sql`SELECT to_jsonb(t) AS row FROM ${sql.table(name)} t ORDER BY t::text`.execute(db)).rows;
    }
    return all;
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#backend.close();
  }
}

let connection: Connection;
let client: Client;
let one: Installation;
let other: Installation;
const names: string[] = [];

beforeEach(async () => {
  quietRuntime();
  connection = await Connection.connect({ address: ADDRESS });
  client = new Client({ connection });
  const taskQueue = `test-${randomUUID()}`;
  one = await Installation.open(client, taskQueue);
  other = await Installation.open(client, taskQueue);
});
afterEach(async () => {
  for (const name of names.splice(0)) {
    await client.workflow
      .getHandle(workflowIdOf(name))
      .terminate()
      .catch(() => undefined);
  }
  await one.close();
  await other.close();
  await connection.close();
});

function name(): string {
  const made = `t-${randomUUID()}`;
  names.push(made);
  return made;
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const gone = async (where: Installation, id: string) => (await where.store.tenants.byId(id)) === undefined;

test('a worker refuses what another installation calls by the number of one of its own tenants', async () => {
  const [theirs, ours] = [name(), name()];
  await one.countFrom(41);
  await other.countFrom(41);
  expect(await one.tenant(theirs)).toBe(await other.tenant(ours));
  const before = await other.everything();

  await other.work();
  await one.order(theirs, 'delete');
  await until('the wrong worker was asked', () => other.refusals.length > 0);
  expect(await other.everything()).toEqual(before);
  expect(await gone(one, theirs)).toBe(false);

  await other.rest();
  await one.work();
  await until('the right worker was asked', () => gone(one, theirs));
  expect(await other.everything()).toEqual(before);
  expect(other.refusals).toHaveLength(1);
  expect(JSON.parse(other.refusals[0]!)).toMatchObject({ workflowId: workflowIdOf(theirs), tenantNo: 42, here: ours });
  expect(other.refusals[0]).toMatch(/TEMPORAL_NAMESPACE.*TEMPORAL_TASK_QUEUE/);
  expect(one.refusals).toEqual([]);
}, 120_000);

test('tenants of one name in two installations are not taken for each other', async () => {
  const shared = name();
  // Each database counts from a place of its own.
  expect(await one.tenant(shared)).not.toBe(await other.tenant(shared));
  await other.work();
  await one.order(shared, 'start');
  await until('the wrong worker was asked', () => other.refusals.length > 0);
  await other.rest();
  await one.work();
  const open = async (kind: IntentKind) => (await one.store.intents.open(0)).some((intent) => intent.kind === kind);
  await one.order(shared, 'pause');
  await until('the right worker was asked', async () => !(await open('pause')));

  await other.order(shared, 'start');
  expect(other.logged.join('')).toMatch(/holds the name of this tenant.*TEMPORAL_NAMESPACE/);
  await other.order(shared, 'delete');
  const before = await other.everything();
  await one.order(shared, 'resume');
  await until('the next order was taken', async () => !(await open('resume')));
  expect(await gone(one, shared)).toBe(false);

  await one.order(shared, 'delete');
  await until('it was deleted where it was to be', () => gone(one, shared));
  expect(await other.everything()).toEqual(before);
}, 120_000);
