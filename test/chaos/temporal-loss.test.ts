import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { freePort } from '../../demo/launch.ts';
import { fold } from '../support/api-client.ts';
import { Deployment, firstDifference, type DirectoryJson } from '../support/deployment.ts';

let deployment: Deployment;
let temporal: ChildProcess;
let port: number;
const folder = mkdtempSync(join(tmpdir(), 'entra-sync-temporal-'));

/** A server whose data a test may throw away; our search attributes are not known to it. */
async function startTemporal(): Promise<void> {
  const args = [
    'server',
    'start-dev',
    '--headless',
    '--port',
    String(port),
    '--db-filename',
    join(folder, 'temporal.db'),
    '--log-level',
    'never',
  ];
  temporal = spawn(process.env['TEST_TEMPORAL_CLI'] ?? '', args, { stdio: 'ignore' });
  const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 30_000 });
  await connection.close();
}

async function loseTemporal(): Promise<void> {
  const gone = new Promise((resolve) => temporal.once('exit', resolve));
  temporal.kill('SIGKILL');
  await gone;
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(join(folder, `temporal.db${suffix}`), { force: true });
}

beforeAll(async () => {
  port = await freePort();
  await startTemporal();
  deployment = await Deployment.start({ temporalAddress: `127.0.0.1:${port}` });
  deployment.startProduct('all');
  await deployment.ready();
}, 240_000);

afterAll(async () => {
  await deployment?.stop();
  temporal?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}, 240_000);

test('when Temporal loses its data while three tenants sync, all go on and nothing is doubled', async () => {
  const directories: DirectoryJson[] = [];
  for (const name of ['one', 'two', 'three']) {
    directories.push(
      await deployment.directory({
        domain: `${name}.example`,
        seed: name.length,
        users: 200,
        groups: 20,
        memberships: 600,
      }),
    );
  }
  const names = ['one', 'two', 'three'];
  for (const [index, name] of names.entries()) {
    const directory = directories[index];
    if (directory) await deployment.connect(name, directory);
  }
  for (const name of names) await deployment.api.until(name, 'it follows', ({ state }) => state === 'delta_sync');
  const snapshots = await Promise.all(names.map((name) => deployment.api.snapshot(name)));
  for (const { id } of directories)
    await deployment.emulator.control('POST', `tenants/${id}/mutate`, { count: 30, seed: 3 });

  await loseTemporal();
  await startTemporal();
  for (const { id } of directories)
    await deployment.emulator.control('POST', `tenants/${id}/mutate`, { count: 30, seed: 4 });

  for (const [index, name] of names.entries()) {
    await deployment.caughtUp(name, 180_000);
    const snapshot = snapshots[index];
    const directory = directories[index];
    if (!snapshot || !directory) throw new Error('Three of each');
    const { events } = await deployment.api.eventsAfter(snapshot.cursor, name);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    const created = events.filter(({ type }) => type === 'user.created').map(({ subject }) => subject.id);
    expect(new Set(created).size).toBe(created.length);
    const mirror = await deployment.expectMirror(name, directory.id);
    expect(firstDifference(fold(snapshot, events), mirror)).toBeUndefined();
  }
}, 300_000);
