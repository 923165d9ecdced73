import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

export interface Program {
  readonly child: ChildProcess;
  /** Resolves with the first line of standard output that fits, rejects if the program ends before. */
  line(fits: (line: string) => boolean, timeoutMs: number): Promise<string>;
  /** SIGTERM, and SIGKILL ten seconds later. */
  stop(): Promise<void>;
}

/** Starts a Node program of ours, keeping what it says in a file. */
export function startProgram(options: {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly node?: string;
}): Program {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const child = spawn(options.node ?? process.execPath, [...options.args], {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (lines.length > 1_000) lines.shift();
    for (const look of waiting) look();
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    child,
    line: (fits, timeoutMs) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          waiting.delete(look);
          clearTimeout(timer);
          settle();
        };
        const look = () => {
          const found = lines.find(fits);
          if (found !== undefined) finish(() => resolve(found));
        };
        const timer = setTimeout(() => {
          finish(() =>
            reject(new Error(`${options.name} was not ready within ${timeoutMs / 1_000} s; see ${options.logFile}`)),
          );
        }, timeoutMs);
        waiting.add(look);
        void exited.then((code) => {
          finish(() => reject(new Error(`${options.name} ended with ${code}; see ${options.logFile}`)));
        });
        look();
      }),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
      log.end();
    },
  };
}
