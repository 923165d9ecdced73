import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Program } from '../../demo/process.ts';
import { fold, type Snapshot } from '../support/api-client.ts';
import { Deployment, firstDifference, type DirectoryJson } from '../support/deployment.ts';
import { PostgresServer, postgresPrograms } from '../support/postgres-server.ts';

// Everything at once: an untidy feed, lost notifications, faults of every kind, dying links, killed workers, cut database connections and, where
// PostgreSQL's programs are at hand, a killed database server, while the directory changes. CI runs a minute of it; `npm run soak -- --minutes 10` is the long form.
const LARGE = Boolean(process.env['DATABASE_URL']);
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 60);
const SEED = Number(process.env['SOAK_SEED'] ?? 1);
const SIZE = LARGE
  ? { users: 20_000, groups: 2_000, memberships: 100_000 }
  : { users: 1_000, groups: 100, memberships: 5_000 };
const EXPIRY_SHAPES = ['a', 'b', 'c', 'd', 'e', 'f'];

const CHAOS = {
  seed: SEED,
  emptyPage: 0.1,
  replay: 0.05,
  duplicate: 0.05,
  olderVersion: 0.05,
  removedInFirstRound: 0.01,
  shuffle: true,
  unaskedMinimal: true,
};
const TOKEN = '/oauth2/v2.0/token';
const FAULTS = [
  { probability: 0.02, fault: { kind: 'status', status: 429, retryAfter: 1 } },
  { probability: 0.01, fault: { kind: 'status', status: 429, retryAfter: 'date', retryAfterSeconds: 2 } },
  { probability: 0.005, fault: { kind: 'status', status: 429 } },
  { probability: 0.01, fault: { kind: 'status', status: 503, body: 'html' } },
  { probability: 0.005, fault: { kind: 'status', status: 502, body: 'html' } },
  { probability: 0.005, fault: { kind: 'status', status: 504, body: 'empty' } },
  { probability: 0.01, fault: { kind: 'status', status: 500 } },
  { probability: 0.005, fault: { kind: 'status', status: 401 } },
  { probability: 0.01, fault: { kind: 'reset' } },
  { probability: 0.01, fault: { kind: 'truncate' } },
  { probability: 0.01, fault: { kind: 'contentType' } },
  { probability: 0.05, fault: { kind: 'latency', ms: 200 } },
  { path: TOKEN, probability: 0.1, fault: { kind: 'status', status: 503 } },
  { path: TOKEN, probability: 0.1, fault: { kind: 'status', status: 429, retryAfter: 1 } },
  { path: TOKEN, probability: 0.05, fault: { kind: 'reset' } },
];

const programs = LARGE ? postgresPrograms() : undefined;

const folder = mkdtempSync(join(tmpdir(), 'entra-sync-soak-'));
let server: PostgresServer | undefined;
let deployment: Deployment;
let directory: DirectoryJson;
let worker: Program;
/** The same numbers for the same seed: what happens when is a matter of the machine. */
let state = SEED;
const random = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

const startWorker = () => {
  worker = deployment.separable ? deployment.startProduct('worker', 0) : deployment.startProduct('all');
};

const killWorker = async () => {
  worker.child.kill('SIGKILL');
  await new Promise((resolve) => worker.child.once('exit', resolve));
  startWorker();
};

/** Cuts every connection of the product's database, whatever statement or transaction is under way. */
const cutDatabase = async () => {
  if (deployment.databaseUrl === undefined) return;
  const client = new pg.Client({ connectionString: deployment.databaseUrl });
  await client.connect();
  await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await client.end();
};

const change = () =>
  deployment.emulator.control('POST', `tenants/${directory.id}/mutate`, {
    count: 1 + random(30),
    seed: random(1_000_000),
  });
const expire = () =>
  deployment.emulator.control('POST', `tenants/${directory.id}/expire-tokens`, {
    resource: ['users', 'groups', 'all'][random(3)],
    scope: ['delta', 'page', 'all'][random(3)],
    shape: EXPIRY_SHAPES[random(EXPIRY_SHAPES.length)],
  });

/** Of a small directory so much may go while a worker is dead that a person must look at it: it is true by now. */
const approveHeld = async () => {
  const { problem } = await deployment.api.tenant('soaked');
  if (problem?.code !== 'held') return;
  await deployment.api.json('POST', '/v1/tenants/soaked/held/approve');
  await deployment.api.until('soaked', 'nothing is held', ({ state }) => state === 'delta_sync', 120_000);
};

/** A consumer that follows the feed all the while, and keeps what a product would keep. */
class Consumer {
  events = 0;
  readonly #seen = new Set<string>();
  #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  async follow(): Promise<Snapshot> {
    const { events, cursor } = await deployment.api.eventsAfter(this.#snapshot.cursor, 'soaked');
    for (const { id } of events) {
      if (this.#seen.has(id)) throw new Error(`Event ${id} came twice`);
      this.#seen.add(id);
    }
    this.events += events.length;
    this.#snapshot = { ...fold(this.#snapshot, events), cursor };
    return this.#snapshot;
  }
}

beforeAll(async () => {
  server = programs === undefined ? undefined : await PostgresServer.start(programs, folder);
  deployment = await Deployment.start(server ? { databaseServer: server.url } : {});
  deployment.env = { NOTIFICATION_URL: deployment.publicUrl };
  directory = await deployment.directory({
    domain: 'soaked.example',
    seed: SEED,
    ...SIZE,
    settings: {
      allowHttpNotifications: true,
      notifications: { drop: 0.3, duplicate: 0.3, shuffle: true, latencyMs: 100 },
    },
  });
  if (deployment.separable) deployment.startProduct('api');
  startWorker();
  await deployment.ready();
  await deployment.connect('soaked', directory);
  await deployment.api.until('soaked', 'the first sync is complete', ({ state }) => state === 'delta_sync', 120_000);
}, 240_000);

afterAll(async () => {
  await deployment?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 240_000);

test(
  `after ${SECONDS} s of faults, deaths and changes the mirror is exact, and no event is lost or doubled`,
  async () => {
    const consumer = new Consumer(await deployment.api.snapshot('soaked'));
    await deployment.emulator.control('PATCH', `tenants/${directory.id}/settings`, { chaos: CHAOS });
    for (const [index, fault] of FAULTS.entries()) {
      await deployment.emulator.control('POST', 'faults', { path: '/v1.0/', seed: SEED + index, ...fault });
    }
    const tally = { changes: 0, workerKills: 0, databaseKills: 0, cuts: 0, expiries: 0 };
    const end = Date.now() + SECONDS * 1_000;
    for (let turn = 1; Date.now() < end; turn++) {
      await change();
      tally.changes++;
      if (turn % 20 === 10) {
        await killWorker();
        tally.workerKills++;
      }
      if (turn % 12 === 6) {
        await cutDatabase();
        tally.cuts++;
      }
      if (server && turn % 25 === 15) {
        await server.killAndRestart();
        tally.databaseKills++;
      }
      if (turn % 15 === 3) {
        await expire();
        tally.expiries++;
      }
      await sleep(500 + random(1_500));
      // The API may be starting again at this moment: the consumer tries later, as consumers do.
      await consumer.follow().catch((error: unknown) => {
        if (error instanceof Error && error.message.includes('came twice')) throw error;
      });
    }
    await deployment.emulator.control('DELETE', 'faults');
    await deployment.emulator.control('PATCH', `tenants/${directory.id}/settings`, {
      chaos: { ...CHAOS, emptyPage: 0 },
    });
    await deployment.ready();
    await deployment.caughtUp('soaked', 300_000);
    await approveHeld();
    const folded = await consumer.follow();
    const mirror = await deployment.expectMirror('soaked', directory.id);
    expect(firstDifference(folded, mirror)).toBeUndefined();
    process.stderr.write(
      `Soak, seed ${SEED}: ${JSON.stringify({ ...SIZE, seconds: SECONDS, ...tally, events: consumer.events })}\n`,
    );
  },
  SECONDS * 1_000 + 420_000,
);
