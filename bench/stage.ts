import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIENT_ID, CLIENT_SECRET, freePort, startEmulatorProgram, type EmulatorProgram } from '../demo/launch.ts';
import { findTemporalCli } from '../src/temporal/cli-binary.ts';
import { startDevServer } from '../src/temporal/dev-server.ts';
import type { BenchOptions } from './options.ts';
import { progress } from './progress.ts';

/** What all measurements share: a directory in an emulator of its own process, and a Temporal server. */
export interface Stage {
  readonly dir: string;
  readonly emulator: EmulatorProgram;
  readonly directory: Directory;
  readonly temporalAddress: string;
  /** The product is always here, since the emulator's registration names its address. */
  readonly port: number;
  readonly publicUrl: string;
  /** What the stage's end must undo, the last first; undoing twice does no harm. */
  readonly cleanUp: (() => Promise<void>)[];
  /** Ends what was started; `keepLogs` where somebody will want to know what it said. */
  end(keepLogs?: boolean): Promise<void>;
}

export interface Directory {
  readonly id: string;
  readonly accounts: readonly { readonly userPrincipalName: string; readonly part: string }[];
}

export async function setStage(options: BenchOptions): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'entra-sync-bench-'));
  const cleanUp: (() => Promise<void>)[] = [];
  const end = async (keepLogs = false) => {
    for (const step of cleanUp.splice(0).reverse()) await step();
    if (keepLogs) progress(`What the processes said is kept in ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  };
  try {
    const port = await freePort();
    const publicUrl = `http://localhost:${port}`;
    progress('Starting the emulator');
    const emulator = await startEmulatorProgram({ dir, publicUrl, preset: 'none' });
    cleanUp.push(() => emulator.stop());
    const { users, groups, memberships } = options;
    const directory = await emulator.control<Directory>('POST', 'tenants', {
      domain: 'bench.example',
      ...{ users, groups, memberships, nestedCycles: 5 },
    });
    const temporalAddress = process.env['TEMPORAL_ADDRESS'] || (await startTemporal(dir, cleanUp));
    return { dir, emulator, directory, temporalAddress, port, publicUrl, cleanUp, end };
  } catch (error) {
    await end(true);
    throw error;
  }
}

async function startTemporal(dir: string, cleanUp: (() => Promise<void>)[]): Promise<string> {
  progress('Starting a Temporal server');
  const log = { info: say, warn: say, error: say };
  const binary = await findTemporalCli({ env: process.env, log });
  const server = await startDevServer({ binary, dataDir: join(dir, 'temporal'), port: 0, uiPort: 0, log });
  cleanUp.push(() => server.stop());
  return server.address;
}

const say = (...words: unknown[]) => progress(words.map(String).join(' '));

/** An application token of the directory, for those who go without the product. Grants the permissions if need be. */
export async function tokenOf({ emulator, directory }: Stage): Promise<string> {
  await emulator.control('POST', `tenants/${directory.id}/app/consent`, {});
  const response = await fetch(`${emulator.http}/${directory.id}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  if (!response.ok) throw new Error(`No token: ${await response.text()}`);
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}
