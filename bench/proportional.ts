import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { applyChanges, CHANGES, pickChanges } from './changes.ts';
import { createDatabase, onServer, serverUrl, settle, versionOf, type FreshDatabase } from './database.ts';
import { spreadOf } from './figures.ts';
import type { BenchOptions, DatabaseKind, Sizes } from './options.ts';
import { deployProduct, type Product } from './product.ts';
import { progress } from './progress.ts';
import { addDirectory, type Directory, type Stage } from './stage.ts';

/** What a delta round of as many changes costs in a large directory and in a small one. */
export interface ProportionalFigures {
  readonly database: string;
  readonly changes: number;
  readonly objects: { readonly large: number; readonly small: number };
  readonly runs: number;
  readonly costs: Readonly<Record<Cost, { readonly large: number; readonly small: number; readonly ratio: number }>>;
}

const COSTS = {
  requests: 'requests to Microsoft',
  transactions: 'database transactions',
  rowsWritten: 'rows written',
  rowsRead: 'rows and index entries read',
  cpuMs: "worker's CPU, ms",
  ms: 'the round, ms',
} as const;
type Cost = keyof typeof COSTS;
type Costs = Readonly<Record<Cost, number>>;

const SMALL: Sizes = { users: 1_000, groups: 20, memberships: 2_000 };
/** A connection tells the server's statistics what it did ten seconds after its last transaction at the latest. */
const TOLD_WITHIN_MS = 11_000;
const ROUND_WITHIN_MS = 120_000;

interface Contender {
  readonly tenantId: string;
  readonly directory: Directory;
}

export async function measureProportional(
  stage: Stage,
  kind: DatabaseKind,
  options: BenchOptions,
): Promise<ProportionalFigures> {
  const database = await createDatabase(kind, stage);
  const product = deployProduct(stage, database, { syncInterval: '1h' });
  const small = { tenantId: 'small', directory: await addDirectory(stage.emulator, 'small.example', SMALL) };
  const large = { tenantId: 'large', directory: stage.directory };
  const bench = { stage, database, product };
  try {
    await product.start();
    for (const { tenantId, directory } of [small, large]) {
      await product.connect(tenantId, directory);
      await product.firstSync(tenantId);
      progress(`${tenantId}: the first sync is in`);
    }
    // What the imports left to tidy up is not a cost of the rounds.
    await onServer(database.url, 'VACUUM ANALYZE');
    const runs: { large: Costs; small: Costs }[] = [];
    for (let run = 0; run <= options.runs; run++) {
      const costs = { large: await roundOf(bench, large, run), small: await roundOf(bench, small, run) };
      progress(`${run}/${options.runs}  large ${costs.large.ms} ms, small ${costs.small.ms} ms`);
      // In the first of them the processes warm up.
      if (run > 0) runs.push(costs);
    }
    return figuresOf(await versionOf(kind), options, runs);
  } finally {
    await product.stop();
    await database.drop();
  }
}

interface Bench {
  readonly stage: Stage;
  readonly database: FreshDatabase;
  readonly product: Product;
}

/** Changes the directory, asks for a round, and charges it with everything that was done until it was complete. */
async function roundOf(
  { stage, database, product }: Bench,
  { tenantId, directory }: Contender,
  run: number,
): Promise<Costs> {
  const changes = await pickChanges(database.url, tenantId, run);
  await applyChanges(stage.emulator, directory.id, changes);
  await settle();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await stage.emulator.control('DELETE', 'requests');
    const before = await countersOf(database);
    const cpuBefore = product.workerCpuMs() ?? Number.NaN;
    const { ms, changed, questions } = await syncedBy(client, tenantId, () =>
      product.api('POST', `/v1/tenants/${tenantId}/sync`),
    );
    const cpuMs = (product.workerCpuMs() ?? Number.NaN) - cpuBefore;
    if (changed !== CHANGES) throw new Error(`${tenantId}: the round had ${changed} changes, not ${CHANGES}`);
    await sleep(TOLD_WITHIN_MS);
    const after = await countersOf(database);
    return {
      requests: await requestsOf(stage, directory.id),
      transactions: after.transactions - before.transactions - questions,
      rowsWritten: after.written - before.written,
      rowsRead: after.read - before.read,
      cpuMs,
      ms,
    };
  } finally {
    await client.end();
  }
}

interface LastRound {
  readonly started: string;
  readonly ms: number;
  readonly changes: number;
}

/** Asks the database, since each question to the product would be work of it; says how often, to take it off again. */
async function syncedBy(
  client: pg.Client,
  tenantId: string,
  begin: () => Promise<unknown>,
): Promise<{ readonly ms: number; readonly changed: number; readonly questions: number }> {
  let questions = 0;
  const last = async (): Promise<LastRound | undefined> => {
    questions++;
    const { rows } = await client.query<LastRound>(
      `SELECT last_sync->>'startedAt' AS started, (last_sync->>'changes')::int AS changes,
         (extract(epoch FROM (last_sync->>'completedAt')::timestamptz - (last_sync->>'startedAt')::timestamptz) * 1000)::float AS ms
       FROM tenant WHERE id = $1`,
      [tenantId],
    );
    return rows[0];
  };
  const before = await last();
  await begin();
  const end = performance.now() + ROUND_WITHIN_MS;
  for (;;) {
    const now = await last();
    if (now && now.started !== before?.started) return { ms: Math.round(now.ms), changed: now.changes, questions };
    if (performance.now() > end) throw new Error(`${tenantId}: no round within ${ROUND_WITHIN_MS / 1_000} s`);
    await sleep(25);
  }
}

/** Asked in another database of the server, so that the question itself does not count; rows of all tables together. */
async function countersOf({
  url,
}: FreshDatabase): Promise<Readonly<Record<'transactions' | 'written' | 'read', number>>> {
  const name = new URL(url).pathname.slice(1);
  const [row] = await onServer<Record<'transactions' | 'written' | 'read', string>>(
    serverUrl(),
    `SELECT xact_commit AS transactions, tup_inserted + tup_updated + tup_deleted AS written, tup_returned AS read
     FROM pg_stat_database WHERE datname = '${name}'`,
  );
  return { transactions: Number(row?.transactions), written: Number(row?.written), read: Number(row?.read) };
}

async function requestsOf({ emulator }: Stage, directoryId: string): Promise<number> {
  const { counts } = await emulator.control<{ counts: Record<string, Record<string, number>> }>(
    'GET',
    'requests?limit=1',
  );
  return Object.values(counts[directoryId] ?? {}).reduce((all, count) => all + count, 0);
}

function figuresOf(
  database: string,
  { users, groups }: Sizes,
  runs: readonly { readonly large: Costs; readonly small: Costs }[],
): ProportionalFigures {
  const costs = Object.fromEntries(
    (Object.keys(COSTS) as Cost[]).map((cost) => {
      const large = spreadOf(runs.map((run) => run.large[cost])).median;
      const small = spreadOf(runs.map((run) => run.small[cost])).median;
      return [cost, { large, small, ratio: large / small }];
    }),
  ) as ProportionalFigures['costs'];
  const objects = { large: users + groups, small: SMALL.users + SMALL.groups };
  return { database, changes: CHANGES, objects, runs: runs.length, costs };
}

export function describeProportional({
  database,
  changes,
  objects,
  runs,
  costs,
}: ProportionalFigures): readonly string[] {
  const lines = [
    `${changes} changes in ${objects.large} objects and in ${objects.small}, on ${database}; medians of ${runs} interleaved rounds`,
    `  ${''.padEnd(28)} ${'large'.padStart(9)} ${'small'.padStart(9)}   ratio (the aim: near 1)`,
  ];
  for (const [cost, { large, small, ratio }] of Object.entries(costs) as [Cost, ProportionalFigures['costs'][Cost]][]) {
    lines.push(
      `  ${COSTS[cost].padEnd(28)} ${large.toFixed(0).padStart(9)} ${small.toFixed(0).padStart(9)}   ${ratio.toFixed(2)}`,
    );
  }
  return lines;
}
