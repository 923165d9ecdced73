import { Command, InvalidArgumentError, Option } from 'commander';

export type DatabaseKind = 'postgres' | 'pglite';
export type Measurement = 'first-sync' | 'quiet';

export interface BenchOptions {
  readonly users: number;
  readonly groups: number;
  readonly memberships: number;
  readonly runs: number;
  readonly rounds: number;
  readonly databases: readonly DatabaseKind[];
  readonly measurements: readonly Measurement[];
  readonly json: boolean;
  /** Where the product's processes of the first sync leave their CPU profiles. */
  readonly cpuProf?: string;
}

interface Flags extends Omit<BenchOptions, 'databases' | 'measurements'> {
  readonly database: DatabaseKind | 'both';
  readonly only?: Measurement;
}

const MEASUREMENTS: readonly Measurement[] = ['first-sync', 'quiet'];

export function readOptions(args: readonly string[]): BenchOptions {
  const { database, only, ...rest } = new Command('bench')
    .description('Measures the product as processes, beside the least that the same work costs on the same machine.')
    .option('--users <n>', 'users of the directory', count, 20_000)
    .option('--groups <n>', 'its groups', count, 2_000)
    .option('--memberships <n>', 'its memberships', count, 100_000)
    .option('--runs <n>', 'interleaved runs of the first sync', count, 3)
    .option('--rounds <n>', 'quiet rounds to measure; beyond 25 the workflow starts a new history', count, 20)
    .addOption(new Option('--database <kind>').choices(['postgres', 'pglite', 'both']).default('both'))
    .addOption(new Option('--only <measurement>').choices(MEASUREMENTS))
    .option('--json', 'print the figures as JSON on standard output, and nothing else there', false)
    .option('--cpu-prof <folder>', "keep CPU profiles of the product's processes of the first sync")
    .parse([...args], { from: 'user' })
    .opts<Flags>();
  return {
    ...rest,
    databases: database === 'both' ? ['postgres', 'pglite'] : [database],
    measurements: only === undefined ? MEASUREMENTS : [only],
  };
}

function count(text: string): number {
  const number = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}
