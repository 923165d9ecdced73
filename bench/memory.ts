import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, versionOf } from './database.ts';
import { spreadOf } from './figures.ts';
import type { BenchOptions, DatabaseKind } from './options.ts';
import { deployProduct } from './product.ts';
import { progress } from './progress.ts';
import { memoryOf } from './resident-memory.ts';
import type { Stage } from './stage.ts';

/** What the worker holds while a large directory goes through it. All in bytes. */
export interface MemoryFigures {
  readonly database: string;
  readonly rows: number;
  readonly pages: number;
  readonly ms: number;
  /** Once it is ready, before it has anything to do. */
  readonly atRest: number;
  readonly peak: number;
  readonly atQuarter: number;
  readonly atHalf: number;
  readonly atEnd: number;
  /** Whether it stays the same however far it has come. */
  readonly endToQuarter: number;
}

interface Sample {
  readonly pages: number;
  readonly rss: number;
}

const SAMPLE_EVERY_MS = 250;
const TELL_EVERY = 40;
/** Between two collections memory rises and falls: a moment is the median of this part of the way around it. */
const AROUND = 0.05;

export async function measureMemory(stage: Stage, kind: DatabaseKind, options: BenchOptions): Promise<MemoryFigures> {
  const database = await createDatabase(kind, stage);
  const product = deployProduct(stage, database, { syncInterval: '1h', cpuProf: options.cpuProf });
  try {
    await product.start();
    const atRest = residentOf(product.workerPid());
    await stage.emulator.control('DELETE', 'requests');
    await product.connect();
    const samples: Sample[] = [];
    let done = false;
    const watching = watch(stage, product.workerPid, samples, () => done);
    const { lastSync, counts } = await product.firstSync().finally(() => (done = true));
    await watching;
    const peak = memoryOf(product.workerPid())?.peak ?? Number.NaN;
    const at = (part: number) => residentAround(samples, part);
    return {
      database: await versionOf(kind),
      rows: counts.users + counts.groups + counts.memberships,
      pages: lastSync.pages,
      ms: Date.parse(lastSync.completedAt) - Date.parse(lastSync.startedAt),
      ...{ atRest, peak, atQuarter: at(0.25), atHalf: at(0.5), atEnd: at(1) },
      endToQuarter: at(1) / at(0.25),
    };
  } finally {
    await product.stop();
    await database.drop();
  }
}

/** The way that is covered is what the emulator was asked: nobody else needs to be. */
async function watch(
  stage: Stage,
  pid: () => number | undefined,
  samples: Sample[],
  isDone: () => boolean,
): Promise<void> {
  while (!isDone()) {
    const { counts } = await stage.emulator.control<{ counts: Record<string, Record<string, number>> }>(
      'GET',
      'requests?limit=1',
    );
    const routes = Object.entries(counts[stage.directory.id] ?? {});
    const pages = routes.reduce((all, [route, count]) => all + (route.includes('/delta') ? count : 0), 0);
    const rss = residentOf(pid());
    samples.push({ pages, rss });
    if (samples.length % TELL_EVERY === 0) progress(`${pages} pages, the worker holds ${megabytes(rss)}`);
    await sleep(SAMPLE_EVERY_MS);
  }
}

function residentOf(pid: number | undefined): number {
  const memory = memoryOf(pid);
  if (!memory) throw new Error('The memory of a process can be read on Linux alone, and the worker must be running');
  return memory.now;
}

function residentAround(samples: readonly Sample[], part: number): number {
  const all = samples.at(-1)?.pages ?? 0;
  const near = samples.filter(({ pages }) => Math.abs(pages / all - part) <= AROUND);
  return spreadOf(near.map(({ rss }) => rss)).median;
}

export function describeMemory(figures: MemoryFigures): readonly string[] {
  const { database, rows, pages, ms } = figures;
  return [
    `The worker's memory in a first sync on ${database}: ${rows} rows in ${pages} pages, ${(ms / 1_000).toFixed(1)} s`,
    `  at rest                   ${megabytes(figures.atRest)}`,
    `  at a quarter of the way   ${megabytes(figures.atQuarter)}`,
    `  at half of it             ${megabytes(figures.atHalf)}`,
    `  at its end                ${megabytes(figures.atEnd)}`,
    `  the peak                  ${megabytes(figures.peak)}   (at most 400 MB)`,
    `  end / quarter             ${figures.endToQuarter.toFixed(2)}   (at most 1.15)`,
  ];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
