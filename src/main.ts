#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { ConfigError, readConfig, readStoreConfig } from './config.ts';
import { createLog } from './log.ts';
import { startService, type Role } from './service.ts';
import { openStore } from './store/open.ts';

/*
 * Pages of a large directory pass through and are garbage, yet V8 lets a heap become several times what is alive in it
 * before it looks. So it may grow by half: what a worker holds does not depend on how long it has been importing.
 */
setFlagsFromString('--heap-growing-percent=50');

/** `main.js [all|api|worker|migrate]`: the processes of a deployment. */
const ROLES: Readonly<Record<string, ReadonlySet<Role>>> = {
  all: new Set<Role>(['api', 'worker']),
  api: new Set<Role>(['api']),
  worker: new Set<Role>(['worker']),
};

/** Longer than a worker takes to end what it may end, shorter than orchestrators are told to wait before they kill. */
const STOP_WITHIN_MS = 30_000;

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    endInAnyCase();
    stopping.abort(new Error(`Stopped by ${signal}`));
  });

/** A database or Temporal that says nothing any more must not hold a process up that has to go. */
function endInAnyCase(): void {
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
}

async function migrate(): Promise<void> {
  const config = readStoreConfig(process.env);
  const log = createLog(config.logLevel);
  const store = await openStore({ ...config, log, signal: stopping.signal });
  await store.close();
  log.info('The database is up to date');
}

async function serve(roles: ReadonlySet<Role>): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  const service = await startService({ config, roles, env: process.env, log, signal: stopping.signal });
  if (service.freshApiKey !== undefined) {
    log.info(
      { apiKey: service.freshApiKey },
      'No API_KEY was set: this one was made, is kept under DATA_DIR, and is shown only now',
    );
  }
  if (service.temporalUi !== undefined)
    log.info({ url: service.temporalUi }, 'Operators look at tenants in the Temporal UI');
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    await Promise.race([stopped, service.failed]);
  } finally {
    endInAnyCase();
    await service.stop();
  }
}

const command = process.argv[2] ?? 'all';
const roles = ROLES[command];
try {
  if (command === 'migrate') await migrate();
  else if (roles) await serve(roles);
  else throw new ConfigError([`Unknown command ${command}: use all, api, worker or migrate`]);
} catch (error) {
  if (!stopping.signal.aborted) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  }
}
// Nothing may keep a stopped process alive: a forgotten handle would hold a deployment up.
setTimeout(() => process.exit(), 3_000).unref();
