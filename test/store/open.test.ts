import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { lockFolder } from '../../src/store/folder-lock.ts';
import { openStore } from '../../src/store/open.ts';
import { LOG } from './backend.ts';
import { newTenant } from './rounds.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'entra-sync-store-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('the embedded database', () => {
  test('keeps what it was given, for one store at a time', async () => {
    const first = await openStore({ dataDir, log: LOG });
    await first.tenants.create(newTenant('contoso'));
    await expect(openStore({ dataDir, log: LOG })).rejects.toThrow(
      `${join(dataDir, 'pglite')} is in use by process ${process.pid}`,
    );
    await first.close();
    const second = await openStore({ dataDir, log: LOG });
    expect(await second.tenants.byId('contoso')).toMatchObject({ id: 'contoso' });
    await second.close();
  });
});

describe('the lock of a folder', () => {
  const folder = () => join(dataDir, 'pglite');
  const lock = () => `${folder()}.lock`;

  test('names the living process that holds it', async () => {
    const holder = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    await writeFile(lock(), JSON.stringify({ pid: holder.pid, began: null }));
    await expect(lockFolder(folder())).rejects.toThrow(`${folder()} is in use by process ${holder.pid}`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const unlock = await lockFolder(folder());
    expect(JSON.parse(await readFile(lock(), 'utf8'))).toMatchObject({ pid: process.pid });
    await unlock();
    await expect(readFile(lock(), 'utf8')).rejects.toThrow(/ENOENT/);
  });

  test.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1 })],
    ['an earlier life with our own number', JSON.stringify({ pid: process.pid, began: null })],
    ['another process with the same number', JSON.stringify({ pid: process.ppid, began: '1' })],
    ['nobody that can be read', 'half a lo'],
  ])('is taken over from %s', async (_who, left) => {
    await writeFile(lock(), left);
    const unlock = await lockFolder(folder());
    await expect(lockFolder(folder())).rejects.toThrow(/in use/);
    await unlock();
  });
});

describe('a server that does not answer', () => {
  test('is named without the password, and tried again', async () => {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const stop = new AbortController();
    const opening = openStore({
      databaseUrl: `postgres://someone:s3cret@127.0.0.1:${port}/mirror`,
      dataDir,
      log,
      signal: stop.signal,
    });
    const outcome = expect(opening).rejects.toThrow(/abort/i);
    while (lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    stop.abort();
    await outcome;
    server.close();
    expect(lines[0]).toContain(`the database mirror at 127.0.0.1:${port}`);
    expect(lines.join('')).not.toContain('s3cret');
  });
});
