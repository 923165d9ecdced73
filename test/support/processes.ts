import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** A process in the place of a container, with what it printed. */
export interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
}

export function run(command: readonly string[], options: SpawnOptions): Running {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => void (output = (output + chunk.toString()).slice(-8_000));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('error', (error) => keep(Buffer.from(error.message)));
  return { child, output: () => output };
}

export async function exitOf({ child }: Running): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('close', resolve));
  }
  return child.exitCode;
}

export async function stop(running: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (running.child.exitCode === null) running.child.kill(signal);
  return exitOf(running);
}
