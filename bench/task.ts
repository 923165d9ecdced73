import { fileURLToPath } from 'node:url';
import { startProgram } from '../demo/process.ts';
import type { Source } from './delta-pages.ts';

/** What a program beside the product is asked to do. Each is a process of its own, as fresh as the product's. */
export interface Task {
  readonly source: Source;
  readonly directoryId: string;
  /** Where the rows go; null for fetching alone. */
  readonly into: { readonly postgres: string } | { readonly pglite: string } | null;
}

export interface TaskResult {
  readonly ms: number;
  readonly cpuMs: number;
  readonly pages: number;
  readonly rows: number | null;
}

const MARK = '{"ms":';
const AT_MOST_MS = 60 * 60_000;

/** Runs one of the programs in this folder. */
export async function runTask(name: 'limit' | 'peer', task: Task, dir: string): Promise<TaskResult> {
  const program = startProgram({
    name: `The ${name}`,
    args: [fileURLToPath(new URL(`${name}.js`, import.meta.url))],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: task.source.caFile, BENCH_TASK: JSON.stringify(task) },
    logFile: `${dir}/${name}.log`,
  });
  try {
    return JSON.parse(await program.line((line) => line.startsWith(MARK), AT_MOST_MS)) as TaskResult;
  } finally {
    await program.stop();
  }
}

export const readTask = (): Task => JSON.parse(process.env['BENCH_TASK'] ?? 'null') as Task;

export function tellResult({ ms, cpuMs, pages, rows }: TaskResult): void {
  process.stdout.write(`${JSON.stringify({ ms, cpuMs, pages, rows })}\n`);
}
