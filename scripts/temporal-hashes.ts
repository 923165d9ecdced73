import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadFile } from '../src/temporal/cli-download.ts';
import { allArchives, recipeFolder, TEMPORAL_CLI_VERSION, type CliArchive } from '../src/temporal/cli-release.ts';
import { reasonOf } from '../src/temporal/log.ts';

/**
 * Fills tools/temporal/hashes.json: downloads every archive of the pinned release from both of its sources and records
 * a sha256 only where both gave the same bytes. Run it where downloads are allowed, and read the change before
 * committing it.
 */
async function main(): Promise<void> {
  const recipe = recipeFolder();
  if (!recipe) throw new Error('tools/temporal/go.mod was not found: run this in a checkout');
  const path = join(recipe, 'hashes.json');
  const work = await mkdtemp(join(tmpdir(), 'temporal-hashes-'));
  const failures: string[] = [];
  const hashes: Record<string, string> = {};
  try {
    for (const archive of allArchives()) {
      try {
        hashes[archive.name] = await agreedHash(archive, work);
        console.log(`${hashes[archive.name]}  ${archive.name}`);
      } catch (error) {
        failures.push(`${archive.name}: ${reasonOf(error)}`);
      }
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  for (const failure of failures) console.error(`not recorded: ${failure}`);
  if (Object.keys(hashes).length === 0) throw new Error('Nothing was downloaded; hashes.json is as it was.');
  const before: unknown = JSON.parse(await readFile(path, 'utf8'));
  // Those of other archives stay: a source that is down today must not unpin what was pinned.
  const kept = Object.entries(before ?? {}).filter(([name]) => name.includes(`_${TEMPORAL_CLI_VERSION}_`));
  await writeFile(path, `${JSON.stringify({ ...Object.fromEntries(kept), ...hashes }, null, 2)}\n`);
  console.log(`Wrote ${path}`);
  if (failures.length > 0) process.exitCode = 1;
}

async function agreedHash(archive: CliArchive, work: string): Promise<string> {
  const found = new Map<string, string>();
  for (const url of archive.urls) {
    found.set(new URL(url).host, await downloadFile(url, join(work, archive.name), globalThis.fetch));
  }
  const [first, ...others] = found.values();
  if (first === undefined || others.some((hash) => hash !== first)) {
    throw new Error(`its sources differ: ${JSON.stringify(Object.fromEntries(found))}`);
  }
  return first;
}

try {
  await main();
} catch (error) {
  console.error(reasonOf(error));
  process.exitCode = 1;
}
