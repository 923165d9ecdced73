import { readFileSync } from 'node:fs';

/** Memory of a process that is in use, and the most that ever was, in bytes; undefined where the system does not tell. */
export function memoryOf(pid: number | undefined): { readonly now: number; readonly peak: number } | undefined {
  if (pid === undefined) return undefined;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024;
    return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
  } catch {
    return undefined;
  }
}
