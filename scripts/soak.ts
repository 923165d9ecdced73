/** The long form of the kill and fault test: `npm run soak -- --minutes 10 [--seed 1]`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('must be a number above 0');
  return value;
};
const options = new Command('soak')
  .option('--minutes <number>', 'how long the faults last', number, 10)
  .option('--seed <number>', 'what is planned, not when the machine does it', number, 1)
  .parse()
  .opts<{ minutes: number; seed: number }>();

if (!process.env['DATABASE_URL']) {
  console.log(
    'Without DATABASE_URL this is the small form: a small directory on PGlite, in one process, no cut or killed database.',
  );
}

const tests = fileURLToPath(new URL('./test.js', import.meta.url));
const { status } = spawnSync(process.execPath, [tests, 'test/chaos/soak'], {
  stdio: 'inherit',
  env: { ...process.env, SOAK_SECONDS: String(options.minutes * 60), SOAK_SEED: String(options.seed) },
});
process.exit(status ?? 1);
