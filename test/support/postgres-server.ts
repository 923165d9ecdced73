import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../demo/launch.ts';
import { exitOf, run, stop, type Running } from './processes.ts';

/** Where PostgreSQL's programs are, or undefined. */
export function postgresPrograms(): string | undefined {
  try {
    const folder = execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
    return ['initdb', 'postgres', 'pg_isready'].every((name) => existsSync(join(folder, name))) ? folder : undefined;
  } catch {
    return undefined;
  }
}

interface Cluster {
  readonly programs: string;
  readonly folder: string;
  readonly port: number;
  /** User, password and database, by the names that the official image reads. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A PostgreSQL with the user, the password and the database that the image would make from the same variables. */
export async function startPostgres(cluster: Cluster): Promise<Running> {
  const { programs, folder, environment } = cluster;
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
  return launch(cluster);
}

function launch({ programs, folder, port }: Cluster): Running {
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off'];
  const command = [join(programs, 'postgres'), '-D', join(folder, 'data'), '-p', `${port}`, ...settings];
  return run(command, { ...unprivileged(), cwd: folder });
}

/** A server of a test's own, which may die. */
export class PostgresServer {
  /** With a database of the user's name, in which others can be created. */
  readonly url: string;
  readonly #cluster: Cluster;
  #running: Running;

  private constructor(cluster: Cluster, running: Running) {
    this.#cluster = cluster;
    this.#running = running;
    this.url = `postgres://soak:soak@127.0.0.1:${cluster.port}/soak`;
  }

  static async start(programs: string, folder: string): Promise<PostgresServer> {
    const environment = { POSTGRES_USER: 'soak', POSTGRES_PASSWORD: 'soak' };
    const cluster = { programs, folder, port: await freePort(), environment };
    const server = new PostgresServer(cluster, await startPostgres(cluster));
    await server.#untilItAnswers();
    return server;
  }

  /**
   * SIGKILL for the server and all its processes at once, in the middle of whatever they do; then a start, which recovers
   * from the log. What the system has in its caches survives: it is the server that dies, not the machine.
   */
  async killAndRestart(): Promise<void> {
    const { pid } = this.#running.child;
    // Each backend is a group of its own.
    const backends = execFileSync('pgrep', ['-P', `${pid}`], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
    this.#running.child.kill('SIGKILL');
    for (const backend of backends) {
      try {
        process.kill(backend, 'SIGKILL');
      } catch {
        // It was quicker.
      }
    }
    await exitOf(this.#running);
    await this.#untilItAnswers();
  }

  async stop(): Promise<void> {
    await stop(this.#running, 'SIGINT');
  }

  async #untilItAnswers(): Promise<void> {
    for (let tries = 0; ; tries++) {
      // While a process of the dead server is left, a new one refuses to start.
      if (this.#running.child.exitCode !== null || this.#running.child.signalCode !== null) {
        this.#running = launch(this.#cluster);
      }
      const client = new pg.Client({ connectionString: this.url });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (tries >= 600) throw new Error(`PostgreSQL does not start: ${this.#running.output()}`, { cause: error });
        await sleep(200);
      }
    }
  }
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
