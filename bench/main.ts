/**
 * `npm run bench`: what the product costs beside the least that the same work costs on the same machine. Ratios, because
 * seconds are the machine's. Progress goes to standard error, figures to standard output.
 */
import { arch, cpus, platform } from 'node:os';
import { MEASURES } from './measurements.ts';
import { readOptions } from './options.ts';
import { progress } from './progress.ts';
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
const { users, groups, memberships } = options;
const figures: Record<string, object[]> = {};
const lines: string[] = [];

const stage = await setStage(options);
let left: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    left = stage.end().finally(() => process.exit(1));
  });
}
try {
  for (const name of options.measurements) {
    const { run, on } = MEASURES[name];
    for (const kind of databases.filter((database) => on.includes(database))) {
      const report = await run(stage, kind, options);
      (figures[name] ??= []).push(report.figures);
      lines.push(...report.lines, '');
    }
  }
  await stage.end();
} catch (error) {
  // What is torn down fails, which is no news to who stopped it.
  await (left ?? stage.end(true));
  throw error;
}

if (options.json) {
  const sizes = { users, groups, memberships };
  process.stdout.write(`${JSON.stringify({ machine, sizes, leftOut, figures }, null, 2)}\n`);
} else {
  console.log(
    `\n${machine.cores} cores (${machine.processor}), ${machine.system}, Node ${machine.node}\n` +
      `${users} users, ${groups} groups, ${memberships} memberships\n`,
  );
  for (const line of lines) console.log(line);
  if (leftOut !== null) console.log(leftOut);
}
progress('Done');
