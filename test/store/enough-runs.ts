import type { RunDetails } from 'fast-check';
import fc from 'fast-check';

/** What a time limit must leave, however busy the machine is. */
const LEAST = 5;

/** Fails as a property does, and also where the time limit left too few runs for the test to mean what it says. */
export function enoughRuns<T>(what: string): (details: RunDetails<T>) => void {
  return (details) => {
    if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
    const { numRuns, runConfiguration } = details;
    const planned = runConfiguration.numRuns ?? numRuns;
    process.stderr.write(`${what}: ${numRuns} of ${planned} runs\n`);
    if (numRuns < Math.min(LEAST, planned)) throw new Error(`Only ${numRuns} runs within the time limit`);
  };
}
