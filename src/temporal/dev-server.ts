import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { isStillRunning, readRecord, removeRecord, writeRecord, type DevServerRecord } from './dev-server-record.ts';
import { isAlive, withFileLock } from './file-lock.ts';
import type { Log } from './log.ts';
import { freePort, isPortFree } from './ports.ts';
import { SEARCH_ATTRIBUTE_NAMES } from './search-attributes.ts';

const HOST = '127.0.0.1';
const USUAL_PORT = 7233;
const USUAL_UI_PORT = 8233;
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;
const STOP_WITHIN_MS = 15_000;
const START_ATTEMPTS = 3;
/** Whoever lost the port has died by then. */
const SURE_AFTER_MS = 20_000;
const LOST_PORT = /address already in use|only one usage of each socket address/i;

export interface DevServerOptions {
  /** From `findTemporalCli`. */
  readonly binary: string;
  /** Its database is kept here, as `temporal.db`. */
  readonly dataDir: string;
  readonly namespace?: string;
  /** A number: that port or a refusal. 0: any free one. Unset: the usual one, 7233, if it is free, else any. */
  readonly port?: number;
  /** As `port`; the usual one is 8233. */
  readonly uiPort?: number;
  readonly log: Log;
}

export interface DevServer {
  readonly address: string;
  readonly uiUrl: string;
  /** Ends it, unless another process of ours on the same folder owns it. */
  stop(): Promise<void>;
}

/** The dev server could not be started. The message says why, and what to do. */
export class DevServerError extends Error {
  override readonly name = 'DevServerError';
}

/**
 * Starts Temporal's development server on a data folder and waits until it serves.
 *
 * One server per folder: one whose owner is alive is shared. A server does not outlive its owner: a watchdog ends it
 * when the owner dies, be it by SIGKILL. Should that fail too (on Windows, or the watchdog killed as well), the next
 * start on the folder ends it first; its data stays.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { log } = options;
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const onWait = (holder: number) => log.info(`Process ${holder} is starting Temporal on ${dataDir}: waiting for it`);
  return withFileLock({ path: join(dataDir, 'temporal.lock'), onWait }, async () => {
    const record = readRecord(dataDir);
    if (!record || !isStillRunning(record)) return startNew({ ...options, dataDir });
    if (record.owner !== process.pid && isAlive(record.owner) && (await serves(record.address, 'default'))) {
      log.info(
        `Sharing the Temporal dev server at ${record.address}: process ${record.owner} started it on ${dataDir}`,
      );
      return { address: record.address, uiUrl: record.uiUrl, stop: () => Promise.resolve() };
    }
    // Not taken over: it may answer still, and be about to end with the process that owned it.
    log.info(`Ending the Temporal dev server that was left behind on ${dataDir} (process ${record.pid})`);
    await endProcess(record.pid);
    return startNew({ ...options, dataDir });
  });
}

async function startNew(options: DevServerOptions & { readonly dataDir: string }): Promise<DevServer> {
  const { dataDir, log } = options;
  for (let attempt = 1; ; attempt += 1) {
    // Whoever lost a usual port to another start lets it be: the two would only meet again.
    const unset = attempt === 1 ? undefined : 0;
    const port = await choosePort(options.port ?? unset, USUAL_PORT, 'gRPC');
    const uiPort = await choosePort(options.uiPort ?? unset, USUAL_UI_PORT, 'UI');
    const child = launch(options, port, uiPort);
    try {
      const pid = await untilServing(child, port, options);
      const uiUrl = `http://${HOST}:${uiPort}`;
      const database = databaseIn(dataDir);
      return await own({ pid, owner: process.pid, address: `${HOST}:${port}`, uiUrl, database }, dataDir);
    } catch (error) {
      if (child.pid !== undefined) await endProcess(child.pid);
      // Somebody may have taken a free port between the look and the start, its inner ports included.
      if (attempt >= START_ATTEMPTS || !LOST_PORT.test(readLog(dataDir))) throw error;
      log.warn('A port of the Temporal dev server was taken meanwhile: trying others');
    }
  }
}

/** Records who owns the server, and sees to its end with its owner. */
async function own(record: DevServerRecord, dataDir: string): Promise<DevServer> {
  await writeRecord(dataDir, record);
  const watchdog = guard(record.pid);
  return {
    address: record.address,
    uiUrl: record.uiUrl,
    async stop() {
      watchdog?.kill();
      await endProcess(record.pid);
      await removeRecord(dataDir);
    },
  };
}

async function choosePort(wanted: number | undefined, usual: number, what: string): Promise<number> {
  if (wanted === 0) return freePort();
  const port = wanted ?? usual;
  if (await isPortFree(port)) return port;
  if (wanted === undefined) return freePort();
  throw new DevServerError(
    `Port ${port}, wanted for the Temporal dev server's ${what}, is taken on ${HOST}. ` +
      'End what listens there, choose another port, or set TEMPORAL_ADDRESS if a Temporal server of yours is running on it.',
  );
}

function launch({ binary, dataDir, namespace }: DevServerOptions, port: number, uiPort: number): ChildProcess {
  const args = ['server', 'start-dev', '--ip', HOST, '--port', `${port}`, '--ui-port', `${uiPort}`];
  // As text, whatever a file of the user's says: it is read what the server says of itself.
  args.push('--db-filename', databaseIn(dataDir), '--log-level', 'warn', '--output', 'text');
  if (namespace && namespace !== 'default') args.push('--namespace', namespace);
  for (const name of SEARCH_ATTRIBUTE_NAMES) args.push('--search-attribute', `${name}=Keyword`);
  args.push('--dynamic-config-value', 'matching.enableFairness=true');
  // To a file: a pipe would break when we are killed, and its last words say why a start failed.
  const output = openSync(logIn(dataDir), 'w');
  try {
    // A group of its own: a Ctrl-C is ours to handle, so that workers finish before their server goes.
    return spawn(binary, args, { stdio: ['ignore', output, output], detached: true });
  } finally {
    closeSync(output);
  }
}

/**
 * Waits until the server that we launched serves, and not merely something at its address: where two starts chose one port,
 * the loser may die after the winner answers. So our own child has to say in its own log that it has the port, which it does
 * once it listens; of one that words it otherwise we are sure when it lives on.
 */
async function untilServing(child: ChildProcess, port: number, options: DevServerOptions): Promise<number> {
  const { binary, dataDir, namespace = 'default' } = options;
  const address = `${HOST}:${port}`;
  const itsWord = new RegExp(`^(Temporal )?Server:\\s+\\S+:${port}\\s*$`, 'm');
  const fate: { ended?: string } = {};
  child.once('error', (error) => (fate.ended = error.message));
  child.once('exit', (code, signal) => (fate.ended ??= `it ended with ${code ?? signal}`));
  const deadline = Date.now() + READY_WITHIN_MS;
  let answeredAt: number | undefined;
  while (fate.ended === undefined && Date.now() < deadline) {
    if (await serves(address, namespace)) answeredAt ??= Date.now();
    const isOurs = itsWord.test(readLog(dataDir)) || Date.now() - (answeredAt ?? Infinity) > SURE_AFTER_MS;
    if (answeredAt !== undefined && isOurs && child.pid !== undefined && fate.ended === undefined) {
      child.unref();
      return child.pid;
    }
    await sleep(READY_POLL_MS);
  }
  throw new DevServerError(
    `The Temporal dev server (${binary}) did not start on ${address}: ` +
      `${fate.ended ?? `it did not answer within ${READY_WITHIN_MS / 1_000} s`}. It said: ${logTail(dataDir)}`,
  );
}

async function serves(address: string, namespace: string): Promise<boolean> {
  const connection = Connection.lazy({ address, connectTimeout: PROBE_TIMEOUT_MS });
  try {
    await connection.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

/**
 * A shell that waits at the end of a pipe from us and ends the server when the pipe closes, which the system does even
 * for a process that was killed.
 */
function guard(pid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -TERM "$1"', 'temporal-watchdog', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.once('error', () => undefined);
  watchdog.unref();
  if (watchdog.stdin && 'unref' in watchdog.stdin && typeof watchdog.stdin.unref === 'function') {
    watchdog.stdin.unref();
  }
  return watchdog;
}

async function endProcess(pid: number): Promise<void> {
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    signal(pid, name);
    const deadline = Date.now() + STOP_WITHIN_MS;
    while (isAlive(pid) && Date.now() < deadline) await sleep(50);
    if (!isAlive(pid)) return;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function databaseIn(dataDir: string): string {
  return join(dataDir, 'temporal.db');
}

function logIn(dataDir: string): string {
  return join(dataDir, 'temporal.log');
}

function readLog(dataDir: string): string {
  try {
    return readFileSync(logIn(dataDir), 'utf8');
  } catch {
    return '';
  }
}

function logTail(dataDir: string): string {
  return readLog(dataDir).trim().split('\n').slice(-5).join(' | ') || '(nothing)';
}
