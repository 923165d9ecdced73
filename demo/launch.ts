import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram, type Program } from './process.ts';

/** Where the build put a program, whether we run from the build or from the sources. */
function built(path: string): string {
  const root = import.meta.url.endsWith('.ts') ? new URL('../dist/', import.meta.url) : new URL('../', import.meta.url);
  return fileURLToPath(new URL(path, root));
}

export interface EmulatorProgram extends Program {
  readonly https: string;
  readonly http: string;
  readonly caFile: string;
  readonly ca: string;
  /** A call of the emulator's control API, which Microsoft does not have. */
  control<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** The emulator's own registration, fixed so that the demo needs no set-up. */
export const CLIENT_ID = '6731de76-14a6-49ae-97bc-6eba6914391e';
export const CLIENT_SECRET = 'emulator~secret-for-local-use-only';

export async function startEmulatorProgram(options: {
  readonly dir: string;
  readonly publicUrl: string;
  readonly preset: string;
  readonly httpsPort?: number;
  readonly httpPort?: number;
}): Promise<EmulatorProgram> {
  const args = [
    built('emulator/main.js'),
    ...['--https-port', String(options.httpsPort ?? 0), '--http-port', String(options.httpPort ?? 0)],
    ...['--data-dir', join(options.dir, 'emulator'), '--preset', options.preset],
    ...[
      '--redirect-uri',
      `${options.publicUrl}/consent/callback`,
      '--redirect-uri',
      `${options.publicUrl}/signin/callback`,
    ],
  ];
  const logFile = join(options.dir, 'emulator.log');
  const program = startProgram({ name: 'The emulator', args, env: process.env, logFile });
  const line = await program.line((text) => text.startsWith('{"ready"'), 180_000);
  const { https, http, caFile } = JSON.parse(line) as { https: string; http: string; caFile: string };
  return {
    ...program,
    https,
    http,
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    async control<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await fetch(`${http}/_emulator/${path}`, {
        method,
        headers: { 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`The emulator answered ${response.status} to ${method} ${path}: ${text}`);
      return JSON.parse(text) as T;
    },
  };
}

/** The environment in which the product takes an emulator for Microsoft. */
export function environmentFor(emulator: Pick<EmulatorProgram, 'https' | 'caFile'>): NodeJS.ProcessEnv {
  return {
    ENTRA_CLIENT_ID: CLIENT_ID,
    ENTRA_CLIENT_SECRET: CLIENT_SECRET,
    ENTRA_AUTHORITY_HOST: emulator.https,
    GRAPH_BASE_URL: emulator.https,
    NODE_EXTRA_CA_CERTS: emulator.caFile,
  };
}

/** As `npm start` runs the product: room for young objects, so that those of a page are dead before V8 moves them. */
export const NODE_FLAGS = ['--min-semi-space-size=32', '--max-semi-space-size=32'] as const;

/** Starts the product as a process: `all`, `api`, `worker` or `migrate`. */
export function startProduct(options: {
  readonly role: 'all' | 'api' | 'worker';
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly node?: string;
}): Program {
  return startProgram({
    name: 'entra-sync',
    args: [...NODE_FLAGS, built('src/main.js'), options.role],
    env: { ...process.env, ...options.env },
    logFile: join(options.dir, `entra-sync-${options.role}.log`),
    ...(options.node === undefined ? {} : { node: options.node }),
  });
}

/**
 * The wanted port if it is free, else another. None of those from which systems take the ports of outgoing connections: it
 * must be free still when it is used, and when a program is started on it again.
 */
export async function freePort(wanted = randomInt(12_000, 32_000)): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(freePort()));
    probe.listen(wanted, () => probe.close(() => resolve(wanted)));
  });
}
