import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { recordedHash, type CliArchive } from './cli-release.ts';
import { reasonOf, type Log } from './log.ts';

/** Short, so that a closed network costs seconds before the next way is tried. */
const ANSWER_TIMEOUT_MS = 5_000;
const STALL_TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 5;

export type Fetch = typeof globalThis.fetch;

interface DownloadOptions {
  readonly archive: CliArchive;
  /** An empty folder; the archive and what was in it are left there. */
  readonly folder: string;
  readonly binary: string;
  readonly log: Log;
  readonly fetch: Fetch;
}

/** Downloads and unpacks one archive and returns the binary's path; rejects with one line that names every source. */
export async function downloadCli({ archive, folder, binary, log, fetch }: DownloadOptions): Promise<string> {
  const path = join(folder, archive.name);
  const sha256 = await downloadFromFirst(archive, path, log, fetch);
  const recorded = recordedHash(archive);
  if (recorded !== undefined && recorded !== sha256) {
    throw new Error(
      `${archive.name} has sha256 ${sha256}, but tools/temporal/hashes.json says ${recorded}: it was not used`,
    );
  }
  if (recorded === undefined) {
    log.warn(`tools/temporal/hashes.json has no hash of ${archive.name}: only TLS vouches for it (sha256 ${sha256})`);
  }
  // The tar of Linux, macOS and Windows 10 alike unpacks what is published for it, zip on Windows included.
  await promisify(execFile)('tar', ['-xf', path, '-C', folder, binary]);
  return join(folder, binary);
}

async function downloadFromFirst(archive: CliArchive, path: string, log: Log, fetch: Fetch): Promise<string> {
  const failures: string[] = [];
  for (const url of archive.urls) {
    const { host } = new URL(url);
    try {
      log.info(`Downloading ${archive.name} from ${host} (about 45 MB, once)`);
      return await downloadFile(url, path, fetch);
    } catch (error) {
      failures.push(`${host}: ${reasonOf(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

/** Fetches one address into a file and returns its sha256. */
export async function downloadFile(url: string, path: string, fetch: Fetch): Promise<string> {
  const stall = new AbortController();
  let timer = setTimeout(
    () => stall.abort(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1_000} s`)),
    ANSWER_TIMEOUT_MS,
  );
  const hash = createHash('sha256');
  try {
    const response = await fetchOverTls(url, fetch, stall.signal);
    if (!response.body) throw new Error('an empty answer');
    const watch = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        clearTimeout(timer);
        timer = setTimeout(() => stall.abort(new Error('the download stalled')), STALL_TIMEOUT_MS);
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(response.body, watch, createWriteStream(path), { signal: stall.signal });
    return hash.digest('hex');
  } catch (error) {
    // An aborted pipeline says only AbortError; why it was aborted is what a person needs.
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Follows redirects by hand: none may lead out of TLS. */
async function fetchOverTls(url: string, fetch: Fetch, signal: AbortSignal): Promise<Response> {
  let next = new URL(url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    if (next.protocol !== 'https:') throw new Error(`was sent on to ${next.origin}, which is not https`);
    const response = await fetch(next, { redirect: 'manual', signal });
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (location === null) {
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return response;
    }
    await response.body?.cancel();
    next = new URL(location, next);
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`);
}
