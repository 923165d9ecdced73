import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive } from './file-lock.ts';

const RECORD = z.object({
  pid: z.number().int().positive(),
  /** The process that started the server, and ends it. */
  owner: z.number().int().positive(),
  address: z.string(),
  uiUrl: z.string(),
  database: z.string(),
});

/** What is known of the dev server of one data folder, kept beside its database. */
export type DevServerRecord = z.infer<typeof RECORD>;

function pathIn(dataDir: string): string {
  return join(dataDir, 'temporal.json');
}

export async function writeRecord(dataDir: string, record: DevServerRecord): Promise<void> {
  const path = pathIn(dataDir);
  await writeFile(`${path}.${process.pid}`, JSON.stringify(record));
  await rename(`${path}.${process.pid}`, path);
}

/** Undefined where none was kept, or a file nobody can make sense of. */
export function readRecord(dataDir: string): DevServerRecord | undefined {
  try {
    return RECORD.safeParse(JSON.parse(readFileSync(pathIn(dataDir), 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export async function removeRecord(dataDir: string): Promise<void> {
  await rm(pathIn(dataDir), { force: true });
}

/** Whether the recorded process still is that server: its number may long belong to a stranger, whom we must not end. */
export function isStillRunning({ pid, database }: DevServerRecord): boolean {
  if (!isAlive(pid)) return false;
  const line = commandLineOf(pid);
  return line.includes('start-dev') && line.includes(database);
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // macOS has no /proc; on Windows there is neither, and nothing is reused.
  }
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
