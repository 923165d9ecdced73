import { join } from 'node:path';
import { cpuMsOf, since } from './cpu-time.ts';
import { createDatabase, settle, versionOf } from './database.ts';
import { ratio, seconds, spreadOf, told, type Spread } from './figures.ts';
import type { BenchOptions, DatabaseKind } from './options.ts';
import { deployProduct, migrate } from './product.ts';
import { progress } from './progress.ts';
import { tokenOf, type Stage } from './stage.ts';
import { runTask, type Task, type TaskResult } from './task.ts';

/** What one run of one contender took. */
interface Run {
  readonly ms: number;
  /** Of the process that fetches and writes. */
  readonly cpuMs: number | undefined;
  /** Of the emulator while it ran. */
  readonly emulatorCpuMs: number | undefined;
  readonly pages: number;
  readonly rows: number | null;
}

const CONTENDERS = {
  product: 'A, the product',
  limit: 'L, the limit: plain fetch and COPY',
  peer: 'B, two SDKs and INSERT',
  fetch: 'fetching alone',
} as const;
type Contender = keyof typeof CONTENDERS;

interface Measured {
  readonly ms: Spread;
  readonly cpuMs: Spread | null;
  readonly emulatorCpuMs: Spread | null;
}

export interface FirstSyncFigures {
  readonly database: string;
  readonly pages: number;
  readonly rows: number;
  readonly runs: number;
  readonly measured: Partial<Record<Contender, Measured>>;
  readonly productToLimit: number;
  readonly peerToProduct: number | null;
  readonly fetchToLimit: number;
}

/** Runs the contenders in turn, so that what else the machine does falls on all of them. */
export async function measureFirstSync(
  stage: Stage,
  kind: DatabaseKind,
  options: BenchOptions,
): Promise<FirstSyncFigures> {
  const contenders: Record<Contender, (() => Promise<Run>) | undefined> = {
    product: () => runProduct(stage, kind, options),
    limit: () => runBeside(stage, kind, 'limit'),
    peer: kind === 'postgres' ? () => runBeside(stage, kind, 'peer') : undefined,
    fetch: () => withEmulatorCpu(stage, async () => runTask('limit', await taskOf(stage, null), stage.dir)),
  };
  const runs: Record<Contender, Run[]> = { product: [], limit: [], peer: [], fetch: [] };
  // Directories are made on first sight, and the emulator is compiled on the way: neither is a cost of who comes first.
  await contenders.fetch?.();
  for (let round = 1; round <= options.runs; round++) {
    for (const name of Object.keys(runs) as Contender[]) {
      const run = await contenders[name]?.();
      if (!run) continue;
      runs[name].push(run);
      progress(`${kind} ${round}/${options.runs}  ${CONTENDERS[name]}: ${(run.ms / 1_000).toFixed(2)} s`);
    }
  }
  return figuresOf(await versionOf(kind), runs);
}

async function runProduct(stage: Stage, kind: DatabaseKind, { cpuProf }: BenchOptions): Promise<Run> {
  const database = await createDatabase(kind, stage);
  const product = deployProduct(stage, database, { syncInterval: '1h', cpuProf });
  try {
    await product.start();
    if (kind === 'postgres') await settle();
    const before = product.workerCpuMs();
    const emulatorBefore = cpuMsOf(stage.emulator.child.pid);
    await product.connect();
    const { lastSync, counts } = await product.firstSync();
    return {
      ms: Date.parse(lastSync.completedAt) - Date.parse(lastSync.startedAt),
      cpuMs: since(before, product.workerCpuMs()),
      emulatorCpuMs: since(emulatorBefore, cpuMsOf(stage.emulator.child.pid)),
      pages: lastSync.pages,
      rows: counts.users + counts.groups + counts.memberships,
    };
  } finally {
    await product.stop();
    await database.drop();
  }
}

async function runBeside(stage: Stage, kind: DatabaseKind, name: 'limit' | 'peer'): Promise<Run> {
  const database = await createDatabase(kind, stage);
  try {
    await migrate(stage, database);
    if (kind === 'postgres') await settle();
    const into = kind === 'postgres' ? { postgres: database.url } : { pglite: join(database.dataDir, 'pglite') };
    const task = await taskOf(stage, into);
    return await withEmulatorCpu(stage, () => runTask(name, task, stage.dir));
  } finally {
    await database.drop();
  }
}

async function taskOf(stage: Stage, into: Task['into']): Promise<Task> {
  const { emulator, directory } = stage;
  const source = { origin: emulator.https, caFile: emulator.caFile, token: await tokenOf(stage) };
  return { source, directoryId: directory.id, into };
}

async function withEmulatorCpu({ emulator }: Stage, run: () => Promise<TaskResult>): Promise<Run> {
  const before = cpuMsOf(emulator.child.pid);
  const result = await run();
  return { ...result, emulatorCpuMs: since(before, cpuMsOf(emulator.child.pid)) };
}

function figuresOf(database: string, runs: Record<Contender, readonly Run[]>): FirstSyncFigures {
  const all = Object.values(runs).flat();
  const rows = new Set(all.map((run) => run.rows).filter((count) => count !== null));
  const pages = new Set(all.map((run) => run.pages));
  // Who does less is no measure of who does more.
  if (rows.size !== 1 || pages.size !== 1) {
    throw new Error(`Not everyone did the same: rows ${[...rows].join(', ')}; pages ${[...pages].join(', ')}`);
  }
  const measured = Object.fromEntries(
    Object.entries(runs)
      .filter(([, of]) => of.length > 0)
      .map(([name, of]) => [name, measuredOf(of)]),
  ) as Partial<Record<Contender, Measured>>;
  const { product, limit, peer, fetch } = measured;
  if (!product || !limit || !fetch) throw new Error('Nothing was measured');
  return {
    database,
    pages: [...pages][0] ?? 0,
    rows: [...rows][0] ?? 0,
    runs: runs.product.length,
    measured,
    productToLimit: ratio(product.ms, limit.ms),
    peerToProduct: peer ? ratio(peer.ms, product.ms) : null,
    fetchToLimit: ratio(fetch.ms, limit.ms),
  };
}

function measuredOf(runs: readonly Run[]): Measured {
  const spread = (values: readonly number[]) => (values.length > 0 ? spreadOf(values) : null);
  return {
    ms: spreadOf(runs.map((run) => run.ms)),
    cpuMs: spread(told(runs.map((run) => run.cpuMs))),
    emulatorCpuMs: spread(told(runs.map((run) => run.emulatorCpuMs))),
  };
}

export function describeFirstSync(figures: FirstSyncFigures): readonly string[] {
  const lines = [
    `First sync on ${figures.database}: ${figures.rows} rows in ${figures.pages} pages, medians of ${figures.runs} interleaved runs (least–most)`,
  ];
  for (const [name, measured] of Object.entries(figures.measured) as [Contender, Measured][]) {
    const cpu = measured.cpuMs ? `   own CPU ${(measured.cpuMs.median / 1_000).toFixed(2)} s` : '';
    const emulator = measured.emulatorCpuMs
      ? `, emulator's ${(measured.emulatorCpuMs.median / 1_000).toFixed(2)} s`
      : '';
    lines.push(`  ${CONTENDERS[name].padEnd(36)} ${seconds(measured.ms)}${cpu}${emulator}`);
  }
  lines.push(`  A / L  ${figures.productToLimit.toFixed(2)}   (the aim: 1.5, at most 2.0)`);
  if (figures.peerToProduct !== null) {
    lines.push(`  B / A  ${figures.peerToProduct.toFixed(2)}   (the aim: 2.3, at least 1.7)`);
  }
  lines.push(`  Fetching alone is ${(figures.fetchToLimit * 100).toFixed(0)} % of the limit.`);
  return lines;
}
