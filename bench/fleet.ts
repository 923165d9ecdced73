import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import ms, { type StringValue } from 'ms';
import { createDatabase, onServer, versionOf, type FreshDatabase } from './database.ts';
import { percentile } from './figures.ts';
import type { BenchOptions, DatabaseKind, Sizes } from './options.ts';
import { deployProduct, type Product } from './product.ts';
import { progress } from './progress.ts';
import { memoryOf } from './resident-memory.ts';
import { roundsOf, type RoundTimes } from './round-times.ts';
import { addDirectory, type Stage } from './stage.ts';

/** Rounds of many small tenants: as long as they are among themselves, and beside one that reads everything again and again. */
export interface FleetFigures {
  readonly database: string;
  readonly tenants: number;
  readonly interval: string;
  readonly quiet: Phase;
  readonly beside: Phase;
  readonly p95Ratio: number;
  readonly giant: { readonly users: number; readonly fullRounds: number };
  /** Intervals of a tenant in which it had no round. */
  readonly skipped: number;
  /** Tenants that are not well at the end. */
  readonly unwell: number;
  readonly workerPeak: number | null;
}

/** Milliseconds. A round lasts from when it was due, so that waiting for its turn counts. */
interface Phase {
  readonly seconds: number;
  readonly rounds: number;
  readonly p50: number;
  readonly p95: number;
  readonly most: number;
  /** From when a round was due until a worker took it up. */
  readonly lateP95: number;
  readonly lateMost: number;
  readonly workerCpuPerSecond: number;
}

const SMALL: Sizes = { users: 20, groups: 4, memberships: 60 };
const GIANT = 'giant';
const AT_A_TIME = 8;
const LONGEST_WAIT_MS = 10 * 60_000;
const MINUTE = 60_000;

interface Fleet {
  readonly stage: Stage;
  readonly database: FreshDatabase;
  readonly product: Product;
  readonly tenants: readonly string[];
  readonly intervalMs: number;
}

export async function measureFleet(stage: Stage, kind: DatabaseKind, options: BenchOptions): Promise<FleetFigures> {
  const { interval, minutes } = options;
  const database = await createDatabase(kind, stage);
  const product = deployProduct(stage, database, { syncInterval: interval, cpuProf: options.cpuProf });
  const tenants = Array.from({ length: options.tenants }, (_, n) => `fleet-${n + 1}`);
  const fleet: Fleet = { stage, database, product, tenants, intervalMs: ms(interval as StringValue) };
  const connection = await Connection.connect({ address: stage.temporalAddress });
  try {
    await product.start();
    await connectAll(fleet);
    progress(`${tenants.length} tenants are connected; one interval alone`);
    const quiet = await spanOf(fleet, () => sleep(fleet.intervalMs));
    await product.connect(GIANT, stage.directory);
    progress(`The giant is there; ${minutes} minutes beside it`);
    let fullRounds = 0;
    const beside = await spanOf(fleet, async () => {
      fullRounds = await repeatFullRounds(product, Date.now() + minutes * MINUTE);
    });
    const workerPeak = memoryOf(product.workerPid())?.peak ?? null;
    const unwell = await unwellOf(database);
    progress('Reading what Temporal remembers of the rounds');
    const rounds = await roundsOfAll(new Client({ connection }), tenants);
    const phases = { quiet: phaseOf(quiet, rounds), beside: phaseOf(beside, rounds) };
    return {
      database: await versionOf(kind),
      tenants: tenants.length,
      interval,
      ...phases,
      p95Ratio: phases.beside.p95 / phases.quiet.p95,
      giant: { users: options.users, fullRounds },
      skipped: skippedIn(fleet, rounds, quiet.from, beside.to),
      ...{ unwell, workerPeak },
    };
  } finally {
    await product.stop();
    await connection.close();
    await database.drop();
  }
}

/** Strewn over an interval, as they would have come in the course of months. */
async function connectAll({ stage, database, product, tenants, intervalMs }: Fleet): Promise<void> {
  const running = new Set<Promise<void>>();
  const began = performance.now();
  for (const [n, id] of tenants.entries()) {
    await sleep(Math.max(0, began + (n * intervalMs) / tenants.length - performance.now()));
    if (running.size >= AT_A_TIME) await Promise.race(running);
    const connecting = addDirectory(stage.emulator, `${id}.example`, SMALL)
      .then((directory) => product.connect(id, directory))
      .finally(() => running.delete(connecting));
    running.add(connecting);
    if ((n + 1) % 100 === 0) progress(`${n + 1} of ${tenants.length} tenants`);
  }
  await Promise.all(running);
  const end = performance.now() + LONGEST_WAIT_MS;
  while ((await unwellOf(database)) > 0) {
    if (performance.now() > end)
      throw new Error(`${await unwellOf(database)} tenants are still without their first sync`);
    await sleep(1_000);
  }
}

/** Tenants beside the giant that are not where nothing stands in the way. */
async function unwellOf({ url }: FreshDatabase): Promise<number> {
  const [row] = await onServer<{ n: string }>(
    url,
    `SELECT count(*) AS n FROM tenant WHERE id <> '${GIANT}' AND (state <> 'delta_sync' OR problem IS NOT NULL)`,
  );
  return Number(row?.n);
}

/** Returns how many were completed, the first import among them. The phase tells, since delta rounds follow at once. */
async function repeatFullRounds(product: Product, until: number): Promise<number> {
  let completed = 0;
  let running = true;
  while (Date.now() < until) {
    await sleep(Math.min(500, Math.max(0, until - Date.now())));
    const { phase } = await product.api<{ phase: string }>('GET', `/v1/tenants/${GIANT}`);
    const wasRunning = running;
    running = phase !== 'delta_sync';
    if (running) continue;
    if (wasRunning) progress(`The giant's full round ${++completed} is in`);
    await product.api('POST', `/v1/tenants/${GIANT}/resync`);
  }
  return completed;
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly cpuMs: number;
}

async function spanOf({ product }: Fleet, work: () => Promise<unknown>): Promise<Span> {
  const from = Date.now();
  const before = product.workerCpuMs() ?? Number.NaN;
  await work();
  return { from, to: Date.now(), cpuMs: (product.workerCpuMs() ?? Number.NaN) - before };
}

async function roundsOfAll(client: Client, tenants: readonly string[]): Promise<readonly RoundTimes[]> {
  const rounds: RoundTimes[] = [];
  const left = [...tenants];
  const read = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) rounds.push(...(await roundsOf(client, id)));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, read));
  return rounds;
}

function phaseOf({ from, to, cpuMs }: Span, all: readonly RoundTimes[]): Phase {
  const rounds = all.filter(({ dueAt }) => dueAt >= from && dueAt < to);
  const lasted = rounds.map(({ dueAt, completedAt }) => completedAt - dueAt);
  const late = rounds.map(({ dueAt, begunAt }) => begunAt - dueAt);
  return {
    seconds: (to - from) / 1_000,
    rounds: rounds.length,
    p50: percentile(lasted, 0.5),
    p95: percentile(lasted, 0.95),
    most: percentile(lasted, 1),
    lateP95: percentile(late, 0.95),
    lateMost: percentile(late, 1),
    workerCpuPerSecond: cpuMs / (to - from),
  };
}

/** Beyond one interval and a half without a beginning, rounds are missing. */
function skippedIn({ tenants, intervalMs }: Fleet, rounds: readonly RoundTimes[], from: number, to: number): number {
  const begun = new Map<string, number[]>(tenants.map((id) => [id, []]));
  for (const { tenantId, begunAt } of rounds) if (begunAt >= from && begunAt < to) begun.get(tenantId)?.push(begunAt);
  let skipped = 0;
  for (const times of begun.values()) {
    const marks = [from, ...times.toSorted((a, b) => a - b), to];
    for (const [n, at] of marks.entries()) {
      const gap = at - (marks[n - 1] ?? at);
      if (gap > 1.5 * intervalMs) skipped += Math.round(gap / intervalMs) - 1;
    }
  }
  return skipped;
}

export function describeFleet(figures: FleetFigures): readonly string[] {
  const { tenants, interval, database, quiet, beside, giant, p95Ratio, skipped, unwell, workerPeak } = figures;
  const line = (name: string, phase: Phase) =>
    `  ${name.padEnd(20)} ${[phase.p50, phase.p95, phase.most, phase.lateP95, phase.lateMost].map(inMs).join('')}` +
    `   ${phase.rounds} in ${phase.seconds.toFixed(0)} s, ${(phase.workerCpuPerSecond * 100).toFixed(0)} % of a core`;
  return [
    `Rounds of ${tenants} tenants at an interval of ${interval} on ${database}, from when each was due; milliseconds`,
    `  ${''.padEnd(20)} ${['p50', 'p95', 'most', 'late p95', 'late most'].map((name) => name.padStart(10)).join('')}`,
    line('among themselves', quiet),
    line('beside a giant', beside),
    `  p95 / quiet p95      ${p95Ratio.toFixed(2)}   (at most 2, or the p95 at most 3 s)`,
    `  the giant            ${giant.users} users, ${giant.fullRounds} full rounds completed`,
    `  rounds skipped       ${skipped}; tenants that are not well: ${unwell}`,
    `  worker's peak        ${workerPeak === null ? 'not told here' : `${(workerPeak / 1e6).toFixed(0)} MB`}`,
  ];
}

const inMs = (value: number): string => value.toFixed(0).padStart(10);
