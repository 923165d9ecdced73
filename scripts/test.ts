/** Runs every test that this machine can run, and says at the end what was left out and how to have it in. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHROMIUM_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

// Empty: left out on purpose.
const chromium = process.env['CHROMIUM_PATH'] ?? CHROMIUM_PATHS.find((path) => existsSync(path)) ?? '';
const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--no-warnings', jest, ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, CHROMIUM_PATH: chromium },
  },
);

const programs = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
const postgresInstalled = programs.status === 0 && existsSync(join(programs.stdout.trim(), 'initdb'));

const leftOut = [
  ...(process.env['DATABASE_URL']
    ? []
    : ['PostgreSQL (set DATABASE_URL to a server on which databases may be created; PGlite was used)']),
  ...(chromium === '' ? ['the browser (no Chromium found; set CHROMIUM_PATH)'] : []),
  ...(postgresInstalled
    ? []
    : ["the services of docker-compose.yml as processes (PostgreSQL's programs not found by pg_config --bindir)"]),
];
console.log(leftOut.length === 0 ? 'Nothing was left out.' : `Left out: ${leftOut.join('; ')}.`);
process.exit(status ?? 1);
