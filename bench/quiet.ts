import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { workflowIdOf } from '../src/domain/names.ts';
import { TABLES } from './copy-rows.ts';
import { since } from './cpu-time.ts';
import { createDatabase, onServer, serverUrl, versionOf, type FreshDatabase } from './database.ts';
import type { BenchOptions, DatabaseKind } from './options.ts';
import { deployProduct, type Product } from './product.ts';
import { progress } from './progress.ts';
import type { Stage } from './stage.ts';

/** What a round costs in which Microsoft has nothing to tell. */
export interface QuietFigures {
  readonly database: string;
  readonly rounds: number;
  readonly requests: number;
  readonly workflowEvents: number;
  readonly workerCpuMs: number | null;
  /** Null where the database does not count them: PGlite. */
  readonly transactions: number | null;
  /** Of the mirror's tables, in all rounds together. */
  readonly mirrorRowsWritten: number | null;
}

/** The shortest interval there is; the rounds are the same with any. */
const INTERVAL = '1s';
/** What a started process does once, it does in these. */
const ROUNDS_BEFORE = 3;

export async function measureQuiet(stage: Stage, kind: DatabaseKind, options: BenchOptions): Promise<QuietFigures> {
  const database = await createDatabase(kind, stage);
  const connection = await Connection.connect({ address: stage.temporalAddress });
  const product = deployProduct(stage, database, { syncInterval: INTERVAL });
  try {
    await product.start();
    await product.connect();
    await product.firstSync();
    // A connection tells the statistics what it did at the latest when it ends.
    await product.stop();
    const written = await mirrorRowsWritten(database);
    await product.start();
    progress(`${kind}  the first sync is in; ${options.rounds} quiet rounds follow`);
    const read = () => readingOf({ stage, database, product, client: new Client({ connection }) });
    await stage.emulator.control('DELETE', 'requests');
    const before = await untilRounds(read, ROUNDS_BEFORE);
    const after = await untilRounds(read, before.rounds + options.rounds);
    await product.stop();
    const transactions = await transactionsOf(database);
    const writtenSince = since(written, await mirrorRowsWritten(database)) ?? null;
    return figuresOf(await versionOf(kind), before, { ...after, transactions }, writtenSince);
  } finally {
    await product.stop();
    await connection.close();
    await database.drop();
  }
}

interface Reading {
  readonly rounds: number;
  readonly requests: number;
  readonly events: number;
  readonly run: string;
  readonly cpuMs: number | undefined;
  readonly transactions: number | undefined;
}

interface Observed {
  readonly stage: Stage;
  readonly database: FreshDatabase;
  readonly product: Product;
  readonly client: Client;
}

/** Asks everyone but the product, whose answers would be work of it. */
async function readingOf({ stage, database, product, client }: Observed): Promise<Reading> {
  const { counts } = await stage.emulator.control<{ counts: Record<string, Record<string, number>> }>(
    'GET',
    'requests?limit=1',
  );
  const routes = Object.entries(counts[stage.directory.id] ?? {});
  const sum = (of: typeof routes) => of.reduce((all, [, count]) => all + count, 0);
  const { historyLength, runId } = await client.workflow.getHandle(workflowIdOf(product.tenantId)).describe();
  return {
    rounds: sum(routes.filter(([route]) => route.includes('/groups/delta'))),
    requests: sum(routes),
    events: historyLength,
    run: runId,
    cpuMs: product.workerCpuMs(),
    transactions: await transactionsOf(database),
  };
}

/** Reads half an interval after the last request of a round: between rounds, where every count is of whole rounds. */
async function untilRounds(read: () => Promise<Reading>, rounds: number): Promise<Reading> {
  while ((await read()).rounds < rounds) await sleep(50);
  await sleep(500);
  return read();
}

/** Asked in another database of the server, so that the question itself does not count. */
async function transactionsOf({ kind, url }: FreshDatabase): Promise<number | undefined> {
  if (kind === 'pglite') return undefined;
  const name = new URL(url).pathname.slice(1);
  const [row] = await onServer<{ n: string }>(
    serverUrl(),
    `SELECT xact_commit AS n FROM pg_stat_database WHERE datname = '${name}'`,
  );
  return Number(row?.n);
}

async function mirrorRowsWritten({ kind, url }: FreshDatabase): Promise<number | undefined> {
  if (kind === 'pglite') return undefined;
  const [row] = await onServer<{ n: string }>(
    url,
    `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS n FROM pg_stat_user_tables
     WHERE relname IN (${TABLES.map((table) => `'${table}'`).join(', ')})`,
  );
  return Number(row?.n);
}

function figuresOf(database: string, before: Reading, after: Reading, mirrorRows: number | null): QuietFigures {
  if (before.run !== after.run) throw new Error('The workflow began a new history in between: measure fewer rounds');
  const rounds = after.rounds - before.rounds;
  const each = (a: number | undefined, b: number | undefined) => {
    const all = since(a, b);
    return all === undefined ? null : all / rounds;
  };
  return {
    database,
    rounds,
    requests: (after.requests - before.requests) / rounds,
    workflowEvents: (after.events - before.events) / rounds,
    workerCpuMs: each(before.cpuMs, after.cpuMs),
    transactions: each(before.transactions, after.transactions),
    mirrorRowsWritten: mirrorRows,
  };
}

export function describeQuiet(figures: QuietFigures): readonly string[] {
  const show = (value: number | null) => value?.toFixed(1) ?? 'not counted here';
  const { mirrorRowsWritten: rows } = figures;
  return [
    `A quiet delta round on ${figures.database}, of ${figures.rounds} at an interval of ${INTERVAL}`,
    `  requests to Microsoft     ${show(figures.requests)}`,
    `  database transactions     ${show(figures.transactions)}`,
    `  Temporal events           ${show(figures.workflowEvents)}`,
    `  worker's CPU              ${show(figures.workerCpuMs)} ms, the second's idling included`,
    `  rows of the mirror        ${rows === null ? 'not counted here' : `${rows} written in all of them`}`,
  ];
}
