import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findTemporalCli, TemporalCliMissingError } from '../../src/temporal/cli-binary.ts';
import type { Fetch } from '../../src/temporal/cli-download.ts';
import {
  allArchives,
  archiveFor,
  cachedBinary,
  recipeFolder,
  recordedHash,
  TEMPORAL_CLI_VERSION,
} from '../../src/temporal/cli-release.ts';
import { recordingLog } from './recording-log.ts';

const MACHINE = { platform: process.platform, arch: process.arch };
const CURRENT = 'temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temporal-cli-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Tools that the code under test calls, without whatever `temporal` or `go` this machine has. */
function pathWith(...folders: string[]): string {
  const tools = join(home, 'tools');
  mkdirSync(tools, { recursive: true });
  for (const tool of ['tar', 'gzip', 'sh', 'sleep', 'chmod']) {
    const real = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    script(join(tools, tool), `exec ${real} "$@"`);
  }
  return [...folders, tools].join(delimiter);
}

function script(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const fakeCli = (path: string, version = CURRENT) => script(path, `echo '${version}'`);

const noNetwork: Fetch = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') }));
const forbidden: Fetch = () => {
  throw new Error('nothing may be downloaded here');
};

test('takes the binary that TEMPORAL_CLI_PATH names, before any other', async () => {
  const given = fakeCli(join(home, 'given', 'temporal'));
  const PATH = pathWith(dirname(fakeCli(join(home, 'bin', 'temporal'))));
  const found = await findTemporalCli({
    env: { TEMPORAL_CLI_PATH: given, PATH },
    log: recordingLog(),
    fetch: forbidden,
  });
  expect(found).toBe(given);
});

test('refuses a TEMPORAL_CLI_PATH that does not run, instead of passing over it', async () => {
  const PATH = pathWith(dirname(fakeCli(join(home, 'bin', 'temporal'))));
  const env = { TEMPORAL_CLI_PATH: join(home, 'nothing-here'), PATH };
  await expect(findTemporalCli({ env, log: recordingLog(), fetch: forbidden })).rejects.toThrow(
    /TEMPORAL_CLI_PATH is .*nothing-here, which does not run .*unset it/,
  );
});

test('takes the first temporal on PATH that runs', async () => {
  const broken = script(join(home, 'broken', 'temporal'), 'exit 3');
  const sound = fakeCli(join(home, 'bin', 'temporal'));
  const env = { PATH: pathWith(dirname(broken), dirname(sound)) };
  expect(await findTemporalCli({ env, log: recordingLog(), fetch: forbidden })).toBe(sound);
});

test('passes over a temporal on PATH whose server is too old, and says so', async () => {
  const old = fakeCli(join(home, 'bin', 'temporal'), 'temporal version 0.10.6 (server 1.21.3) (ui 2.16.2)');
  const env = { PATH: pathWith(dirname(old)), XDG_CACHE_HOME: join(home, 'cache') };
  const cached = fakeCli(cachedBinary(env, MACHINE));
  const log = recordingLog();
  expect(await findTemporalCli({ env, log, fetch: forbidden })).toBe(cached);
  expect(log.lines.join('\n')).toMatch(/too old: its server is 1\.21/);
});

test('takes the cached binary without touching the network', async () => {
  const env = { PATH: pathWith(), XDG_CACHE_HOME: join(home, 'cache') };
  const cached = fakeCli(cachedBinary(env, MACHINE));
  expect(await findTemporalCli({ env, log: recordingLog(), fetch: forbidden })).toBe(cached);
});

test('downloads the exact version over TLS and keeps it', async () => {
  const env = { PATH: pathWith(), XDG_CACHE_HOME: join(home, 'cache') };
  const asked: string[] = [];
  const fetch: Fetch = (input) => {
    asked.push(input instanceof URL ? input.href : JSON.stringify(input));
    return Promise.resolve(new Response(new Uint8Array(archiveOf(CURRENT))));
  };
  const log = recordingLog();
  const found = await findTemporalCli({ env, log, fetch });
  expect(found).toBe(cachedBinary(env, MACHINE));
  expect(execFileSync(found, { encoding: 'utf8' }).trim()).toBe(CURRENT);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(new RegExp(`^https://temporal\\.download/cli/archive/v${TEMPORAL_CLI_VERSION}\\?`));
  expect(readdirSync(dirname(found))).toEqual(['temporal']);
});

test('follows no redirect out of TLS', async () => {
  const env = { PATH: pathWith(), XDG_CACHE_HOME: join(home, 'cache') };
  const fetch: Fetch = () =>
    Promise.resolve(new Response(null, { status: 302, headers: { location: 'http://mirror.example/temporal' } }));
  const failure = await findTemporalCli({ env, log: recordingLog(), fetch }).catch((error: unknown) => error);
  expect(String(failure)).toMatch(/was sent on to http:\/\/mirror\.example, which is not https/);
});

test('keeps nothing of a download that does not run', async () => {
  const env = { PATH: pathWith(), XDG_CACHE_HOME: join(home, 'cache') };
  const fetch: Fetch = () => Promise.resolve(new Response(new Uint8Array(archiveOf('a greeting'))));
  await expect(findTemporalCli({ env, log: recordingLog(), fetch })).rejects.toThrow(TemporalCliMissingError);
  expect(existsSync(cachedBinary(env, MACHINE))).toBe(false);
  expect(readdirSync(dirname(cachedBinary(env, MACHINE)))).toEqual([]);
});

test('builds with Go from tools/temporal where nothing can be downloaded', async () => {
  const go = script(
    join(home, 'go', 'go'),
    `pwd > '${home}/cwd'; echo "$@" > '${home}/args'
while [ "$1" != '-o' ]; do shift; done
printf '#!/bin/sh\\necho "${CURRENT}"\\n' > "$2"; chmod +x "$2"`,
  );
  const env = { PATH: pathWith(dirname(go)), XDG_CACHE_HOME: join(home, 'cache') };
  const log = recordingLog();
  expect(await findTemporalCli({ env, log, fetch: noNetwork })).toBe(cachedBinary(env, MACHINE));
  expect(readFileSync(join(home, 'cwd'), 'utf8').trim()).toBe(recipeFolder());
  expect(readFileSync(join(home, 'args'), 'utf8')).toMatch(
    /-ldflags -s -w .*github\.com\/temporalio\/cli\/cmd\/temporal/,
  );
  expect(log.lines.join('\n')).toMatch(/about 5 minutes/);
});

test('makes the binary once for two processes that ask at the same time', async () => {
  const go = script(
    join(home, 'go', 'go'),
    `echo built >> '${home}/builds'; sleep 0.3
while [ "$1" != '-o' ]; do shift; done
printf '#!/bin/sh\\necho "${CURRENT}"\\n' > "$2"; chmod +x "$2"`,
  );
  const env = { PATH: pathWith(dirname(go)), XDG_CACHE_HOME: join(home, 'cache') };
  const ask = () => findTemporalCli({ env, log: recordingLog(), fetch: noNetwork });
  const [first, second] = await Promise.all([ask(), ask()]);
  expect(first).toBe(second);
  expect(readFileSync(join(home, 'builds'), 'utf8')).toBe('built\n');
});

test('takes over the lock of a process that was killed', async () => {
  const env = { PATH: pathWith(), XDG_CACHE_HOME: join(home, 'cache') };
  const folder = dirname(cachedBinary(env, MACHINE));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'making.lock'), '999999999');
  const fetch: Fetch = () => Promise.resolve(new Response(new Uint8Array(archiveOf(CURRENT))));
  expect(await findTemporalCli({ env, log: recordingLog(), fetch })).toBe(cachedBinary(env, MACHINE));
});

test('lists everything that was tried, and what to do, where nothing helps', async () => {
  const env = { PATH: pathWith(), XDG_CACHE_HOME: join(home, 'cache') };
  const failure = await findTemporalCli({ env, log: recordingLog(), fetch: noNetwork }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(TemporalCliMissingError);
  const message = String(failure);
  for (const part of [
    'TEMPORAL_CLI_PATH',
    'PATH: no temporal',
    'cache:',
    'ENOTFOUND',
    'Go is not installed',
    'TEMPORAL_ADDRESS',
  ]) {
    expect(message).toContain(part);
  }
});

test('knows where each platform keeps what a user caches', () => {
  const at = (platform: NodeJS.Platform, env: Record<string, string>) => cachedBinary(env, { platform, arch: 'arm64' });
  const tail = (platform: string) => join('entra-sync', 'temporal', `${TEMPORAL_CLI_VERSION}-${platform}-arm64`);
  expect(at('linux', { HOME: '/h' })).toBe(join('/h', '.cache', tail('linux'), 'temporal'));
  expect(at('linux', { HOME: '/h', XDG_CACHE_HOME: '/x' })).toBe(join('/x', tail('linux'), 'temporal'));
  expect(at('darwin', { HOME: '/h' })).toBe(join('/h', 'Library', 'Caches', tail('darwin'), 'temporal'));
  expect(at('win32', { LOCALAPPDATA: '/l' })).toBe(join('/l', tail('win32'), 'temporal.exe'));
});

test('names an archive only for machines that Temporal publishes for', () => {
  expect(archiveFor({ platform: 'linux', arch: 'x64' })?.name).toBe(
    `temporal_cli_${TEMPORAL_CLI_VERSION}_linux_amd64.tar.gz`,
  );
  expect(archiveFor({ platform: 'freebsd', arch: 'x64' })).toBeUndefined();
  expect(allArchives()).toHaveLength(6);
});

test('pins in tools/temporal the version that is downloaded', () => {
  const goMod = readFileSync(join(recipeFolder() ?? '', 'go.mod'), 'utf8');
  expect(goMod).toContain('tool github.com/temporalio/cli/cmd/temporal');
  expect(goMod).toMatch(new RegExp(`github\\.com/temporalio/cli v${TEMPORAL_CLI_VERSION.replaceAll('.', '\\.')}\\b`));
});

test('records hashes only as sha256 of archives of that version', () => {
  const hashes = JSON.parse(readFileSync(join(recipeFolder() ?? '', 'hashes.json'), 'utf8')) as Record<string, unknown>;
  const names = allArchives().map(({ name }) => name);
  for (const [name, hash] of Object.entries(hashes)) {
    expect(names).toContain(name);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  }
  for (const archive of allArchives()) expect(recordedHash(archive)).toBe(hashes[archive.name]);
});

/** A tar.gz with a `temporal` that says which version it is. */
function archiveOf(version: string): Buffer {
  const folder = join(home, createHash('sha256').update(version).digest('hex'));
  fakeCli(join(folder, 'temporal'), version);
  execFileSync('tar', ['-czf', join(folder, 'archive'), '-C', folder, 'temporal']);
  return readFileSync(join(folder, 'archive'));
}
