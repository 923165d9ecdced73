import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The release of the Temporal CLI that is downloaded or built: the one that tools/temporal/go.mod requires. */
export const TEMPORAL_CLI_VERSION = '1.8.2';

/** Fair dispatch between tenants (`matching.enableFairness`) came with this server. */
export const MINIMUM_SERVER = { major: 1, minor: 29 } as const;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

const PLATFORMS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** One archive of the release, by the names that Temporal gives them. */
export interface CliArchive {
  readonly name: string;
  /** In the order in which they are tried; both serve the same bytes. */
  readonly urls: readonly string[];
}

/** Undefined where Temporal publishes no binary for this kind of machine. */
export function archiveFor(machine: Machine): CliArchive | undefined {
  const platform = PLATFORMS[machine.platform];
  const arch = ARCHITECTURES[machine.arch];
  if (!platform || !arch) return undefined;
  const version = TEMPORAL_CLI_VERSION;
  const name = `temporal_cli_${version}_${platform}_${arch}.${platform === 'windows' ? 'zip' : 'tar.gz'}`;
  return {
    name,
    urls: [
      `https://temporal.download/cli/archive/v${version}?platform=${platform}&arch=${arch}`,
      `https://github.com/temporalio/cli/releases/download/v${version}/${name}`,
    ],
  };
}

/** All archives that somebody may download: what `tools/temporal/hashes.json` is to cover. */
export function allArchives(): readonly CliArchive[] {
  const platforms = ['linux', 'darwin', 'win32'] as const;
  const architectures = ['x64', 'arm64'] as const;
  return platforms.flatMap((platform) => architectures.flatMap((arch) => archiveFor({ platform, arch }) ?? []));
}

export function binaryName(machine: Machine): string {
  return machine.platform === 'win32' ? 'temporal.exe' : 'temporal';
}

/** Where the binary is kept: per user and outside the checkout, so that every clone shares one. */
export function cachedBinary(env: Environment, machine: Machine): string {
  const folder = `${TEMPORAL_CLI_VERSION}-${machine.platform}-${machine.arch}`;
  return join(userCache(env, machine.platform), 'entra-sync', 'temporal', folder, binaryName(machine));
}

function userCache(env: Environment, platform: NodeJS.Platform): string {
  const home = env['HOME'] || homedir();
  if (env['XDG_CACHE_HOME']) return env['XDG_CACHE_HOME'];
  if (platform === 'darwin') return join(home, 'Library', 'Caches');
  if (platform === 'win32') return env['LOCALAPPDATA'] || join(home, 'AppData', 'Local');
  return join(home, '.cache');
}

/** `tools/temporal`, seen from the sources and from `dist` alike; undefined in an image that left it out. */
export function recipeFolder(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(folder, 'tools', 'temporal');
    if (existsSync(join(candidate, 'go.mod'))) return candidate;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** The sha256 that was recorded for an archive, if any was. */
export function recordedHash(archive: CliArchive): string | undefined {
  const folder = recipeFolder();
  if (!folder) return undefined;
  const hashes: unknown = JSON.parse(readFileSync(join(folder, 'hashes.json'), 'utf8'));
  const hash = typeof hashes === 'object' && hashes !== null ? Reflect.get(hashes, archive.name) : undefined;
  return typeof hash === 'string' ? hash : undefined;
}
