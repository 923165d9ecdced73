import { Command, InvalidArgumentError, Option } from 'commander';

export type DatabaseKind = 'postgres' | 'pglite';

/** Of a directory. */
export interface Sizes {
  readonly users: number;
  readonly groups: number;
  readonly memberships: number;
}

const ORDINARY: Sizes = { users: 20_000, groups: 2_000, memberships: 100_000 };
const LARGE: Sizes = { users: 1_000_000, groups: 20_000, memberships: 2_000_000 };

/** What can be measured, with the directory that it is measured on unless others are asked for. */
const MEASUREMENTS = {
  'first-sync': ORDINARY,
  quiet: ORDINARY,
  memory: LARGE,
  proportional: LARGE,
  feed: ORDINARY,
  fleet: { users: 100_000, groups: 10_000, memberships: 500_000 },
} as const satisfies Record<string, Sizes>;
export type Measurement = keyof typeof MEASUREMENTS;

/** What `npm run bench` alone measures: the rest takes its time, and is asked for by name. */
const USUAL: readonly Measurement[] = ['first-sync', 'quiet'];

export interface BenchOptions extends Sizes {
  readonly runs: number;
  readonly rounds: number;
  /** Of the fleet, whose directories are small: the sizes are its giant's. */
  readonly tenants: number;
  readonly interval: string;
  readonly minutes: number;
  readonly databases: readonly DatabaseKind[];
  readonly measurements: readonly Measurement[];
  readonly json: boolean;
  /** Where the product's processes of the first sync leave their CPU profiles. */
  readonly cpuProf?: string;
}

interface Flags extends Omit<BenchOptions, 'databases' | 'measurements' | keyof Sizes>, Partial<Sizes> {
  readonly database: DatabaseKind | 'both';
  readonly only?: Measurement;
}

export function readOptions(args: readonly string[]): BenchOptions {
  const { database, only, ...rest } = new Command('bench')
    .description('Measures the product as processes, beside the least that the same work costs on the same machine.')
    .addOption(
      new Option('--only <measurement>', `one alone; without it ${USUAL.join(' and ')}`).choices(
        Object.keys(MEASUREMENTS),
      ),
    )
    .option('--users <n>', `users of the directory (${defaults('users')})`, count)
    .option('--groups <n>', `its groups (${defaults('groups')})`, count)
    .option('--memberships <n>', `its memberships (${defaults('memberships')})`, count)
    .option('--runs <n>', 'interleaved runs of the first sync, or rounds of the changes', count, 3)
    .option('--rounds <n>', 'quiet rounds to measure; beyond 25 the workflow starts a new history', count, 20)
    .option('--tenants <n>', 'tenants of the fleet, beside one of the sizes above', count, 2_000)
    .option('--interval <duration>', "the fleet's SYNC_INTERVAL", '5m')
    .option('--minutes <n>', 'how long the fleet is watched beside its giant', count, 10)
    .addOption(new Option('--database <kind>').choices(['postgres', 'pglite', 'both']).default('both'))
    .option('--json', 'print the figures as JSON on standard output, and nothing else there', false)
    .option('--cpu-prof <folder>', "keep CPU profiles of the product's processes of the first sync")
    .parse([...args], { from: 'user' })
    .opts<Flags>();
  return {
    ...(only === undefined ? ORDINARY : MEASUREMENTS[only]),
    ...rest,
    databases: database === 'both' ? ['postgres', 'pglite'] : [database],
    measurements: only === undefined ? USUAL : [only],
  };
}

function defaults(size: keyof Sizes): string {
  const others = Object.entries<Sizes>(MEASUREMENTS).filter(([, sizes]) => sizes !== ORDINARY);
  const texts = others.map(([name, sizes]) => `${name}: ${sizes[size]}`);
  return `default: ${[ORDINARY[size], ...texts].join('; ')}`;
}

function count(text: string): number {
  const number = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}
