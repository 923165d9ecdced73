import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Environment } from './cli-release.ts';
import { codeOf, type Log } from './log.ts';

const HEARTBEAT_MS = 30_000;
const KEPT_LINES = 15;
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';

interface BuildOptions {
  /** `tools/temporal`: go.mod and go.sum say exactly what is built. */
  readonly recipe: string;
  readonly folder: string;
  readonly binary: string;
  readonly env: Environment;
  readonly log: Log;
}

/** Builds the CLI with Go and returns the binary's path; rejects with what Go said last. */
export async function buildCli({ recipe, folder, binary, env, log }: BuildOptions): Promise<string> {
  const output = join(folder, binary);
  // go.mod is never rewritten by a build, and a checkout owned by somebody else must not stop it for its VCS stamp.
  const args = ['build', '-mod=readonly', '-buildvcs=false', '-ldflags', '-s -w', '-o', output, PACKAGE];
  const go = spawn('go', args, { cwd: recipe, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const keep = (chunk: Buffer) => {
    lines.push(...chunk.toString().split('\n').filter(Boolean));
    lines.splice(0, lines.length - KEPT_LINES);
  };
  go.stdout.on('data', keep);
  go.stderr.on('data', keep);
  const startedAt = Date.now();
  const heartbeat = setInterval(() => {
    const last = lines.at(-1);
    log.info(`Still building the Temporal CLI: ${minutes(Date.now() - startedAt)} so far${last ? ` (${last})` : ''}`);
  }, HEARTBEAT_MS);
  try {
    await once(go, 'spawn');
    log.info('Building the Temporal CLI with Go: about 5 minutes on 2 cores, once for this user and version');
    const code = await new Promise<number | null>((resolve) => go.once('close', resolve));
    if (code !== 0) throw new Error(`go build ended with ${code ?? 'a signal'}: ${lines.join(' | ')}`);
    log.info(`Built the Temporal CLI in ${minutes(Date.now() - startedAt)}`);
    return output;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new Error('Go is not installed (no `go` on PATH)', { cause: error });
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}

function minutes(elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
