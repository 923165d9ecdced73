import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connectionOptions, createTemporalClient, waitForTemporal } from '../../src/temporal/connection.ts';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.ts';
import { writeRecord } from '../../src/temporal/dev-server-record.ts';
import { isAlive } from '../../src/temporal/file-lock.ts';
import { recordingLog } from './recording-log.ts';

const BINARY = process.env['TEST_TEMPORAL_CLI'] ?? '';

let dataDir = '';
const servers: DevServer[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'temporal-dev-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(log = recordingLog()): Promise<DevServer> {
  const server = await startDevServer({ binary: BINARY, dataDir, port: 0, uiPort: 0, log });
  servers.push(server);
  return server;
}

const recorded = () =>
  JSON.parse(readFileSync(join(dataDir, 'temporal.json'), 'utf8')) as { pid: number; owner: number; database: string };

test('serves with its UI, and keeps workflows over a restart', async () => {
  const first = await start();
  expect((await fetch(first.uiUrl)).status).toBe(200);
  await startWorkflow(first.address, 'kept');
  await first.stop();
  const second = await start();
  const settings = { address: second.address, namespace: 'default' };
  const connection = await waitForTemporal(settings, { log: recordingLog() });
  const { status } = await createTemporalClient(connection, settings).workflow.getHandle('kept').describe();
  await connection.close();
  expect(status.name).toBe('RUNNING');
}, 240_000);

test('ends a server whose owner is gone, and starts anew on its data', async () => {
  const left = await start();
  const record = recorded();
  // As if we had been killed: the recorded owner is a process that is no more.
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  await writeRecord(dataDir, { ...record, owner: gone.pid ?? 0, address: left.address, uiUrl: left.uiUrl });
  const log = recordingLog();
  await start(log);
  expect(log.lines.join('\n')).toMatch(/Ending the Temporal dev server that was left behind/);
  expect(isAlive(record.pid)).toBe(false);
}, 240_000);

test('shares the server of another process on the same folder, and leaves it running', async () => {
  const theirs = await start();
  const record = recorded();
  await writeRecord(dataDir, { ...record, owner: process.ppid, address: theirs.address, uiUrl: theirs.uiUrl });
  const ours = await startDevServer({ binary: BINARY, dataDir, log: recordingLog() });
  expect(ours.address).toBe(theirs.address);
  await ours.stop();
  expect(isAlive(record.pid)).toBe(true);
}, 240_000);

test('never ends a stranger that has the number of an old server', async () => {
  const stranger = spawn('sleep', ['600']);
  await writeRecord(dataDir, {
    pid: stranger.pid ?? 0,
    owner: 999_999_999,
    address: '127.0.0.1:1',
    uiUrl: '',
    database: join(dataDir, 'temporal.db'),
  });
  await start();
  expect(isAlive(stranger.pid ?? 0)).toBe(true);
  stranger.kill();
}, 240_000);

test('does not outlive an owner that was killed', async () => {
  // The watchdog hangs on a pipe of its owner, so the owner has to be a process of its own: the compiled product.
  const module = new URL('../../dist/src/temporal/dev-server.js', import.meta.url).href;
  const program = `import { startDevServer } from ${JSON.stringify(module)};
    const log = { info() {}, warn() {}, error() {} };
    await startDevServer({ binary: ${JSON.stringify(BINARY)}, dataDir: ${JSON.stringify(dataDir)}, port: 0, uiPort: 0, log });
    console.log('up'); setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  const { pid } = recorded();
  owner.kill('SIGKILL');
  for (let tries = 0; tries < 600 && isAlive(pid); tries += 1) await sleep(100);
  expect(isAlive(pid)).toBe(false);
}, 240_000);

test('refuses a port that is taken, and says what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await expect(startDevServer({ binary: BINARY, dataDir, port, log: recordingLog() })).rejects.toThrow(
    new RegExp(`Port ${port}, wanted for .*, is taken .*TEMPORAL_ADDRESS`),
  );
  taken.close();
});

test('never takes the server of another for its own, though that one answers first on the port that was free', async () => {
  // Between our look at the port and our server's own start somebody else's comes up on it, and has answered for seconds.
  const cli = join(dataDir, 'late-temporal');
  const theirs = join(dataDir, 'theirs');
  writeFileSync(
    cli,
    `#!/bin/sh
    [ -e '${theirs}.pid' ] && exec '${BINARY}' "$@"
    [ "$5 $6" = "--port $6" ] || exit 3
    '${BINARY}' server start-dev --headless --ip 127.0.0.1 --port "$6" --db-filename '${theirs}.db' >/dev/null 2>&1 &
    echo "$!" >'${theirs}.pid'
    echo "127.0.0.1:$6" >'${theirs}.address'
    until '${BINARY}' operator namespace describe default --address "127.0.0.1:$6" >/dev/null 2>&1; do sleep 0.1; done
    sleep 3
    exec '${BINARY}' "$@"
    `,
    { mode: 0o755 },
  );
  const log = recordingLog();
  try {
    const ours = await startDevServer({ binary: cli, dataDir, port: 0, uiPort: 0, log });
    servers.push(ours);
    expect(log.lines.join('\n')).toMatch(/A port of the Temporal dev server was taken meanwhile/);
    expect(ours.address).not.toBe(readFileSync(`${theirs}.address`, 'utf8').trim());
    await startWorkflow(ours.address, 'ours');
    expect(isAlive(recorded().pid)).toBe(true);
  } finally {
    process.kill(Number(readFileSync(`${theirs}.pid`, 'utf8')), 'SIGKILL');
  }
}, 240_000);

test('says why a server did not start', async () => {
  await expect(
    startDevServer({ binary: '/bin/false', dataDir, port: 0, uiPort: 0, log: recordingLog() }),
  ).rejects.toThrow(/did not start .*it ended with 1/);
});

async function startWorkflow(address: string, workflowId: string): Promise<void> {
  const settings = { address, namespace: 'default' };
  const connection = await waitForTemporal(settings, { log: recordingLog() });
  await createTemporalClient(connection, settings).workflow.start('anything', { taskQueue: 'nobody', workflowId });
  await connection.close();
  expect(connectionOptions(settings)).toEqual({ address });
}
