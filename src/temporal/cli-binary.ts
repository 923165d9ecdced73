import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, chmod } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildCli } from './cli-build.ts';
import { downloadCli, type Fetch } from './cli-download.ts';
import {
  TEMPORAL_CLI_VERSION,
  MINIMUM_SERVER,
  archiveFor,
  binaryName,
  cachedBinary,
  recipeFolder,
  type Environment,
  type Machine,
} from './cli-release.ts';
import { withFileLock } from './file-lock.ts';
import { reasonOf, type Log } from './log.ts';

const VERSION_TIMEOUT_MS = 30_000;

export interface FindTemporalCliOptions {
  readonly env: Environment;
  readonly log: Log;
  /** For tests: another kind of machine, another network. */
  readonly machine?: Machine;
  readonly fetch?: Fetch;
}

/** Nothing that can run was found or made. The message lists what was tried and what helps. */
export class TemporalCliMissingError extends Error {
  override readonly name = 'TemporalCliMissingError';
  readonly tried: readonly string[];

  constructor(tried: readonly string[]) {
    super(
      `No Temporal CLI was found, and none could be made:\n${tried.map((line) => `  - ${line}`).join('\n')}\n` +
        `Do one of these: install the Temporal CLI (https://docs.temporal.io/cli) and set TEMPORAL_CLI_PATH or put it on PATH; ` +
        `allow downloads from temporal.download; install Go 1.26.4 or later; or set TEMPORAL_ADDRESS to a Temporal server that you have.`,
    );
    this.tried = tried;
  }
}

/**
 * Finds a `temporal` binary that runs, or makes one: `TEMPORAL_CLI_PATH`, `temporal` on PATH, the cached one, a
 * download, a build with Go. Each step is taken only if those before it gave nothing.
 * @throws {TemporalCliMissingError}
 */
export async function findTemporalCli(options: FindTemporalCliOptions): Promise<string> {
  const { env, log } = options;
  const machine = options.machine ?? { platform: process.platform, arch: process.arch };
  const tried: string[] = [];

  const given = env['TEMPORAL_CLI_PATH'];
  if (given) return await demandGiven(given);
  tried.push('TEMPORAL_CLI_PATH is not set');

  const onPath = await findOnPath(env, machine, tried, log);
  if (onPath) return onPath;

  const cached = cachedBinary(env, machine);
  if ((await probe(cached)).runs) return cached;
  tried.push(`cache: nothing that runs at ${cached}`);

  const made = await makeCached({ ...options, machine, fetch: options.fetch ?? globalThis.fetch }, cached, tried);
  if (made) return made;
  throw new TemporalCliMissingError(tried);
}

/** A path that a person set is taken or refused, never silently passed over. */
async function demandGiven(path: string): Promise<string> {
  const found = await probe(path);
  if (found.runs) return path;
  throw new Error(
    `TEMPORAL_CLI_PATH is ${path}, which does not run as a Temporal CLI (${found.reason}). ` +
      'Point it at a temporal binary, or unset it to have one found or made.',
  );
}

async function findOnPath(env: Environment, machine: Machine, tried: string[], log: Log): Promise<string | undefined> {
  const folders = (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter(Boolean);
  let seen = false;
  for (const folder of folders) {
    const path = join(folder, binaryName(machine));
    if (!(await isExecutable(path))) continue;
    seen = true;
    const found = await probe(path);
    if (found.runs && !found.outdated) return path;
    const why = found.runs
      ? `${path} is too old: its server is ${found.server}, and ${MINIMUM_SERVER.major}.${MINIMUM_SERVER.minor} or later is needed`
      : `${path} does not run (${found.reason})`;
    log.warn(`Passed over the Temporal CLI on PATH: ${why}`);
    tried.push(`PATH: ${why}`);
  }
  if (!seen) tried.push('PATH: no temporal on it');
  return undefined;
}

type MakeOptions = FindTemporalCliOptions & { readonly machine: Machine; readonly fetch: Fetch };

/** Fills the cache, one process at a time: the second finds what the first has made. */
async function makeCached(options: MakeOptions, cached: string, tried: string[]): Promise<string | undefined> {
  const { log } = options;
  const folder = dirname(cached);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    tried.push(`cache: ${folder} cannot be made (${reasonOf(error)})`);
    return undefined;
  }
  const onWait = (holder: number) => log.info(`Process ${holder} is already making the Temporal CLI: waiting for it`);
  return withFileLock({ path: join(folder, 'making.lock'), onWait }, async () => {
    if ((await probe(cached)).runs) return cached;
    const makers: readonly [string, Maker][] = [
      ['download', download],
      ['build', build],
    ];
    for (const [name, make] of makers) {
      try {
        await makeInto(cached, (work) => make(options, work));
        log.info(`The Temporal CLI ${TEMPORAL_CLI_VERSION} is kept at ${cached}`);
        return cached;
      } catch (error) {
        const reason = reasonOf(error);
        log.info(`No Temporal CLI by ${name}: ${reason}`);
        tried.push(`${name}: ${reason}`);
      }
    }
    return undefined;
  });
}

type Maker = (options: MakeOptions, folder: string) => Promise<string>;

async function download({ machine, log, fetch }: MakeOptions, folder: string): Promise<string> {
  const archive = archiveFor(machine);
  if (!archive) throw new Error(`Temporal publishes no binary for ${machine.platform} on ${machine.arch}`);
  return downloadCli({ archive, folder, binary: binaryName(machine), log, fetch });
}

async function build({ env, machine, log }: MakeOptions, folder: string): Promise<string> {
  const recipe = recipeFolder();
  if (!recipe) throw new Error('tools/temporal/go.mod is not part of this installation');
  return buildCli({ recipe, folder, binary: binaryName(machine), env, log });
}

/** Makes the binary beside its place and renames it there only once it has run: the cache never holds half of one. */
async function makeInto(cached: string, make: (folder: string) => Promise<string>): Promise<void> {
  const work = await mkdtemp(join(dirname(cached), 'making-'));
  try {
    const made = await make(work);
    await chmod(made, 0o755);
    const found = await probe(made);
    if (!found.runs) throw new Error(`what came does not run (${found.reason})`);
    await rename(made, cached);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Probe =
  | { readonly runs: true; readonly server: string; readonly outdated: boolean }
  | { readonly runs: false; readonly reason: string };

async function probe(path: string): Promise<Probe> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    if (!/^temporal version/i.test(stdout)) return { runs: false, reason: 'it is not the Temporal CLI' };
    const [, major, minor] = /server (\d+)\.(\d+)/i.exec(stdout) ?? [];
    const outdated =
      Number(major) < MINIMUM_SERVER.major ||
      (Number(major) === MINIMUM_SERVER.major && Number(minor) < MINIMUM_SERVER.minor);
    return { runs: true, server: `${major}.${minor}`, outdated };
  } catch (error) {
    return { runs: false, reason: reasonOf(error).split('\n')[0] ?? '' };
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
