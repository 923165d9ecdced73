import { readFileSync } from 'node:fs';
import { cpuUsage } from 'node:process';

/** Linux counts in hundredths of a second whatever the kernel's own tick is. */
const TICK_MS = 10;

/** Processor time that a process has used, all its threads together; undefined where the system does not tell. */
export function cpuMsOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    // The name in parentheses may hold anything: what follows the last one is numbers.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)?.trim().split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}

export function ownCpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1_000;
}

export const since = (before: number | undefined, after: number | undefined): number | undefined =>
  before === undefined || after === undefined ? undefined : after - before;
