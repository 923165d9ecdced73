import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { CLIENT_ID, freePort } from '../../demo/launch.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const folders: string[] = [];
const processes: ChildProcess[] = [];
const servers: Server[] = [];
const sockets = new Set<Socket>();

interface Run {
  readonly child: ChildProcess;
  readonly port: number;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'entra-sync-startup-'));
  folders.push(dir);
  return dir;
}

async function start(env: NodeJS.ProcessEnv, command = 'all'): Promise<Run> {
  const port = await freePort();
  const complete = {
    PATH: process.env['PATH'],
    ENTRA_CLIENT_ID: CLIENT_ID,
    ENTRA_CLIENT_SECRET: 'a-secret',
    DATA_DIR: folder(),
    TEMPORAL_ADDRESS: process.env['TEST_TEMPORAL_ADDRESS'],
    TEMPORAL_TASK_QUEUE: `startup-${port}`,
    PORT: String(port),
    ...env,
  };
  const child = spawn(process.execPath, [MAIN, command], { env: complete, stdio: ['ignore', 'pipe', 'pipe'] });
  processes.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return {
    child,
    port,
    said: () => said,
    ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))),
  };
}

async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 120_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await sleep(100);
  }
}

const readyz = async (run: Run) => {
  const answer = await fetch(`http://localhost:${run.port}/readyz`).catch(() => undefined);
  return answer && { status: answer.status, body: (await answer.json()) as { checks: Record<string, string> } };
};
const isReady = async (run: Run) => ((await readyz(run))?.status === 200 ? true : undefined);

/** Something that can stand in front of a server, be away at first, and say nothing any more. */
async function relay(port: number, target: string): Promise<{ fallSilent(): void }> {
  const [host = '127.0.0.1', targetPort = ''] = target.split(':');
  let silent = false;
  const server = createServer((inside) => {
    const outside = connect(Number(targetPort), host);
    for (const socket of [inside, outside]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    inside.on('data', (chunk) => void (silent || outside.write(chunk)));
    outside.on('data', (chunk) => void (silent || inside.write(chunk)));
    inside.on('close', () => outside.destroy());
    outside.on('close', () => silent || inside.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  servers.push(server);
  return { fallSilent: () => void (silent = true) };
}

afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await Promise.race([new Promise((resolve) => child.once('exit', resolve)), sleep(30_000)]);
    child.kill('SIGKILL');
  }
  for (const server of servers.splice(0)) server.close();
  for (const socket of sockets) socket.destroy();
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
}, 240_000);

test('a wrong environment ends the process with every fault at once and changes nothing', async () => {
  const run = await start({
    ENTRA_CLIENT_ID: 'not-a-guid',
    ENTRA_CLIENT_SECRET: '',
    SYNC_INTERVAL: '10',
    PUBLIC_URL: 'http://sync.example.com',
  });
  expect(await run.ended).toBe(2);
  for (const name of [
    'ENTRA_CLIENT_ID',
    'ENTRA_CLIENT_SECRET',
    'SYNC_INTERVAL',
    'PUBLIC_URL',
    'API_KEY',
    'ENCRYPTION_KEYS',
  ]) {
    expect(run.said()).toContain(name);
  }
}, 240_000);

test('a database that is down is named, waited for, and told by /readyz', async () => {
  const port = await freePort();
  const run = await start({ DATABASE_URL: `postgres://somebody:hidden-password@127.0.0.1:${port}/nowhere` });
  const seen = await until('it listens', () => readyz(run));
  expect(seen.status).toBe(503);
  expect(seen.body.checks['database']).not.toBe('ok');
  await until('the log names host and port', () => (run.said().includes(`127.0.0.1:${port}`) ? true : undefined));
  expect(run.said()).not.toContain('hidden-password');
  expect((await fetch(`http://localhost:${run.port}/healthz`)).status).toBe(200);
  expect(run.child.exitCode).toBeNull();
}, 240_000);

test('a Temporal that is down is named and waited for, while the API serves what the database has', async () => {
  const port = await freePort();
  const run = await start({ TEMPORAL_ADDRESS: `127.0.0.1:${port}`, API_KEY: 'a-key-of-sixteen-chars' });
  await until('the log names the address', () => (run.said().includes(`127.0.0.1:${port}`) ? true : undefined));
  const headers = { Authorization: 'Bearer a-key-of-sixteen-chars' };
  const list = await until('the API answers', async () => {
    const answer = await fetch(`http://localhost:${run.port}/v1/tenants`, { headers });
    return answer.ok ? answer : undefined;
  });
  expect(await list.json()).toEqual({ data: [], nextCursor: null });
  expect((await readyz(run))?.status).toBe(503);
  await relay(port, process.env['TEST_TEMPORAL_ADDRESS'] ?? '');
  await until('it is ready once Temporal is there', () => isReady(run));
}, 240_000);

test('a second process on the same embedded database is refused, and told by whom', async () => {
  const dataDir = folder();
  const first = await start({ DATA_DIR: dataDir });
  await until('the first is ready', () => isReady(first));
  const second = await start({ DATA_DIR: dataDir });
  expect(await second.ended).toBe(1);
  expect(second.said()).toContain(String(first.child.pid));
  expect(await isReady(first)).toBe(true);
}, 240_000);

test('without keys some are made once, kept, and the API key is shown only then', async () => {
  const dataDir = folder();
  const first = await start({ DATA_DIR: dataDir });
  const key = await until('the key is shown', () => /"apiKey":"(es_[^"]+)"/.exec(first.said())?.[1]);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const second = await start({ DATA_DIR: dataDir });
  await until('it is ready again', () => isReady(second));
  expect(second.said()).not.toContain(key);
  const answer = await fetch(`http://localhost:${second.port}/v1/tenants`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  expect(answer.status).toBe(200);
}, 240_000);

test('an API that was told to stop while it waits for its database ends at once', async () => {
  const run = await start({ DATABASE_URL: `postgres://u:p@127.0.0.1:${await freePort()}/x` }, 'api');
  await until('it listens', () => readyz(run));
  run.child.kill('SIGTERM');
  expect(await Promise.race([run.ended, sleep(25_000)])).toBe(0);
}, 240_000);

test('a process whose Temporal and database say nothing any more ends all the same when it is told to stop', async () => {
  const port = await freePort();
  const silent = await relay(port, process.env['TEST_TEMPORAL_ADDRESS'] ?? '');
  const server = process.env['DATABASE_URL'] ? new URL(process.env['DATABASE_URL']) : undefined;
  const databasePort = await freePort();
  const database = server && (await relay(databasePort, server.host));
  if (server) server.host = `127.0.0.1:${databasePort}`;
  const run = await start({ TEMPORAL_ADDRESS: `127.0.0.1:${port}`, ...(server ? { DATABASE_URL: server.href } : {}) });
  await until('it is ready', () => isReady(run));
  silent.fallSilent();
  database?.fallSilent();
  const readiness = fetch(`http://localhost:${run.port}/readyz`).catch(() => undefined);
  await sleep(1_000);
  run.child.kill('SIGTERM');
  expect(await Promise.race([run.ended, sleep(90_000, 'still there')])).not.toBe('still there');
  await readiness;
}, 240_000);
