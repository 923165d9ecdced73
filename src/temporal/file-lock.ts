import { readFileSync } from 'node:fs';
import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './log.ts';

const TOUCH_MS = 10_000;
const STALE_MS = 60_000;
const RETRY_MS = 500;

interface LockOptions {
  readonly path: string;
  /** Called once when somebody else holds the lock. */
  readonly onWait: (holder: number) => void;
}

/**
 * Runs `work` while holding a lock file that names our process. The holder touches the file, so one left behind by a
 * killed process goes stale even if its number now belongs to another. Two waiters may both sweep a stale file and
 * enter: what the lock guards must be safe then and only be wasteful.
 */
export async function withFileLock<T>({ path, onWait }: LockOptions, work: () => Promise<T>): Promise<T> {
  let told = false;
  while (!(await acquire(path))) {
    const holder = holderOf(path);
    if (await isStale(path, holder)) {
      await rm(path, { force: true });
      continue;
    }
    if (!told) onWait(holder);
    told = true;
    await sleep(RETRY_MS);
  }
  const touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

async function isStale(path: string, holder: number): Promise<boolean> {
  if (holder > 0 && !isAlive(holder)) return true;
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}

/** Whether a process of that number exists; somebody else's counts too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
