import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** Folders that this very process has open. A lock with our own pid that is not among them is left from an earlier life. */
const held = new Set<string>();

interface Holder {
  readonly pid: number;
  /** When that process began, where the system tells: a pid alone is soon another's. */
  readonly began: string | null;
  readonly token: string;
}

/**
 * Keeps a folder for one process: the embedded database would be destroyed by a second. The lock is a file with our pid,
 * taken over when its process is gone. Returns what releases it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = `${resolve(folder)}.lock`;
  if (held.has(path)) throw inUse(folder, process.pid);
  held.add(path);
  try {
    await mkdir(resolve(folder, '..'), { recursive: true });
    await takeLock(folder, path);
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    await rm(path, { force: true });
    held.delete(path);
  };
}

async function takeLock(folder: string, path: string): Promise<void> {
  const mine: Holder = { pid: process.pid, began: beginningOf(process.pid), token: randomUUID() };
  const draft = `${path}.${mine.token}`;
  await writeFile(draft, JSON.stringify(mine), { flag: 'wx' });
  try {
    // A link either makes the lock with its content or fails: nobody ever reads half a lock.
    while (!(await linked(draft, path))) {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      const holder = parseHolder(text);
      if (holder && isAlive(holder)) throw inUse(folder, holder.pid);
      await discard(path, text, `${draft}.stale`);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the stale lock away. If another process was quicker and this is its new lock already, it is put back. */
async function discard(path: string, stale: string, aside: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== stale) await linked(aside, path);
  await rm(aside, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, began, token } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' ? { pid, began: began ?? null, token: token ?? '' } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  return holder.began === null || holder.began === beginningOf(holder.pid);
}

/** Linux tells a process' start in ticks since boot, the 22nd field, after the name in parentheses; elsewhere null. */
function beginningOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

const inUse = (folder: string, pid: number): Error =>
  new Error(`The database folder ${folder} is in use by process ${pid}; set DATABASE_URL to run more than one process`);

// By shape, not by class: a test runner's world has an Error of its own.
const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
