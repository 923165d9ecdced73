import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComposeService } from './compose-file.ts';

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

/** Runs a service's health check, as Docker would, until it passes. */
export async function untilHealthy(
  service: ComposeService,
  running: Running,
  options: { readonly env: NodeJS.ProcessEnv; readonly withinMs: number; readonly adapt: (text: string) => string },
): Promise<void> {
  const [kind, ...words] = (service.healthcheck?.test ?? []).map((word) => options.adapt(word));
  const command = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : words;
  const deadline = Date.now() + options.withinMs;
  for (;;) {
    const check = run(command, { env: options.env });
    if ((await exitOf(check)) === 0) return;
    if (running.child.exitCode !== null) throw new Error(`The service has ended: ${running.output()}`);
    if (Date.now() > deadline) throw new Error(`Never healthy: ${check.output()}\n${running.output()}`);
    await sleep(250);
  }
}

/** Where PostgreSQL's programs are, or undefined. */
export function postgresPrograms(): string | undefined {
  try {
    const folder = execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
    return ['initdb', 'postgres', 'pg_isready'].every((name) => existsSync(join(folder, name))) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** A PostgreSQL with the user, the password and the database that the image would make from the same variables. */
export async function startPostgres(options: {
  readonly programs: string;
  readonly folder: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
}): Promise<Running> {
  const { programs, folder, port, environment } = options;
  const user = environment['POSTGRES_USER'] ?? 'postgres';
  const account = unprivileged();
  mkdirSync(folder, { recursive: true });
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, environment['POSTGRES_PASSWORD'] ?? '');
  if (account) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', user, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-N', '-E', 'UTF8'];
  const made = run([join(programs, 'initdb'), ...init], { ...account, cwd: folder });
  if ((await exitOf(made)) !== 0) throw new Error(made.output());
  const database = environment['POSTGRES_DB'] ?? user;
  const single = spawn(join(programs, 'postgres'), ['--single', '-D', data, 'postgres'], { ...account, cwd: folder });
  single.stdin.end(`CREATE DATABASE ${database}\n`);
  await new Promise((resolve) => single.once('close', resolve));
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off'];
  return run([join(programs, 'postgres'), '-D', data, '-p', `${port}`, ...settings], { ...account, cwd: folder });
}

/** PostgreSQL refuses to run as root, which a container's process often is. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (user: string, kind: string) => Number(execFileSync('id', [kind, user], { encoding: 'utf8' }));
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: idOf(user, '-u'), gid: idOf(user, '-g') };
    } catch {
      // The next one.
    }
  }
  return undefined;
}
