import fc, { type Parameters, type RunDetails } from 'fast-check';

/** What a time limit must leave, however busy the machine is. */
const LEAST = 5;

const numberFrom = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);

interface Usual {
  readonly seed: number;
  readonly runs: number;
  readonly ms?: number;
}

/**
 * How a property about histories is run: as usual in CI, or with another `HISTORY_SEED`, with `HISTORY_RUNS` of them, for
 * `HISTORY_MS` milliseconds at most. `HISTORY_SHRINK` looks for the shortest history that fails, and `HISTORY_PATH` repeats one that did.
 */
export function historyRuns<T>(what: string, { seed, runs, ms = 20_000 }: Usual): Parameters<T> {
  const { HISTORY_PATH: path } = process.env;
  return {
    ...(path === undefined ? {} : { path }),
    seed: numberFrom('HISTORY_SEED', seed),
    numRuns: numberFrom('HISTORY_RUNS', runs),
    interruptAfterTimeLimit: numberFrom('HISTORY_MS', ms),
    reporter: enoughRuns(what),
    endOnFailure: process.env['HISTORY_SHRINK'] === undefined,
  };
}

/** Fails as a property does, and also where the time limit left too few runs for the test to mean what it says. */
function enoughRuns<T>(what: string): (details: RunDetails<T>) => void {
  return (details) => {
    if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
    const { numRuns, runConfiguration } = details;
    const planned = runConfiguration.numRuns ?? numRuns;
    process.stderr.write(`${what}: ${numRuns} of ${planned} runs\n`);
    if (numRuns < Math.min(LEAST, planned)) throw new Error(`Only ${numRuns} runs within the time limit`);
  };
}
