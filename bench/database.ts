import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { DatabaseKind } from './options.ts';
import type { Stage } from './stage.ts';

/** An empty database, as the product's environment names it. */
export interface FreshDatabase {
  readonly kind: DatabaseKind;
  /** Of PostgreSQL. */
  readonly url: string;
  /** Of PGlite; the product keeps other files there too. */
  readonly dataDir: string;
  drop(): Promise<void>;
}

export async function createDatabase(kind: DatabaseKind, { dir, cleanUp }: Stage): Promise<FreshDatabase> {
  const dataDir = mkdtempSync(join(dir, `data-${kind}-`));
  const dropFolder = () => rmSync(dataDir, { recursive: true, force: true });
  if (kind === 'pglite') return { kind, url: '', dataDir, drop: async () => dropFolder() };
  const server = serverUrl();
  const name = `entra_sync_bench_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const drop = async () => {
    await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    dropFolder();
  };
  cleanUp.push(drop);
  return { kind, url: url.href, dataDir, drop };
}

/**
 * What an earlier run left to write would be charged to the next one: a checkpoint belongs to nobody's measurement.
 * Not every account may ask for one; the figures are then a little noisier.
 */
export async function settle(): Promise<void> {
  await onServer(serverUrl(), 'CHECKPOINT').catch(() => undefined);
}

export async function versionOf(kind: DatabaseKind): Promise<string> {
  if (kind === 'pglite') return 'PGlite';
  const [row] = await onServer<{ server_version: string }>(serverUrl(), 'SHOW server_version');
  return `PostgreSQL ${row?.server_version ?? ''}`;
}

export async function onServer<Row extends object>(connectionString: string, text: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

export function serverUrl(): string {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL must name a server on which databases may be created');
  return url;
}
