/**
 * `npm run bench`: what the product costs beside the least that the same work costs on the same machine. Ratios, because
 * seconds are the machine's. Progress goes to standard error, figures to standard output.
 */
import { arch, cpus, platform } from 'node:os';
import { describeFirstSync, measureFirstSync, type FirstSyncFigures } from './first-sync.ts';
import { describeMemory, measureMemory, type MemoryFigures } from './memory.ts';
import { readOptions } from './options.ts';
import { progress } from './progress.ts';
import { describeQuiet, measureQuiet, type QuietFigures } from './quiet.ts';
import { setStage } from './stage.ts';

const options = readOptions(process.argv.slice(2));
const databases = options.databases.filter((kind) => kind !== 'postgres' || process.env['DATABASE_URL']);
const leftOut =
  databases.length < options.databases.length
    ? 'PostgreSQL was left out: set DATABASE_URL to a server on which databases may be created.'
    : null;

const machine = {
  cores: cpus().length,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  system: `${platform()} ${arch()}`,
  node: process.version,
};
const { users, groups, memberships, runs } = options;
const firstSync: FirstSyncFigures[] = [];
const quiet: QuietFigures[] = [];
const memory: MemoryFigures[] = [];

const stage = await setStage(options);
let left: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    left = stage.end().finally(() => process.exit(1));
  });
}
try {
  for (const kind of databases) {
    if (options.measurements.includes('first-sync')) firstSync.push(await measureFirstSync(stage, kind, options));
    if (options.measurements.includes('quiet')) quiet.push(await measureQuiet(stage, kind, options));
    if (options.measurements.includes('memory')) memory.push(await measureMemory(stage, kind, options));
  }
  await stage.end();
} catch (error) {
  // What is torn down fails, which is no news to who stopped it.
  await (left ?? stage.end(true));
  throw error;
}

if (options.json) {
  const sizes = { users, groups, memberships, runs };
  process.stdout.write(`${JSON.stringify({ machine, sizes, leftOut, firstSync, quiet, memory }, null, 2)}\n`);
} else {
  console.log(
    `\n${machine.cores} cores (${machine.processor}), ${machine.system}, Node ${machine.node}\n` +
      `${users} users, ${groups} groups, ${memberships} memberships\n`,
  );
  for (const figures of firstSync) console.log(`${describeFirstSync(figures).join('\n')}\n`);
  for (const figures of quiet) console.log(`${describeQuiet(figures).join('\n')}\n`);
  for (const figures of memory) console.log(`${describeMemory(figures).join('\n')}\n`);
  if (leftOut !== null) console.log(leftOut);
}
progress('Done');
