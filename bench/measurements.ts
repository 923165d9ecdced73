import { describeFeed, measureFeed } from './feed.ts';
import { describeFirstSync, measureFirstSync } from './first-sync.ts';
import { describeFleet, measureFleet } from './fleet.ts';
import { describeMemory, measureMemory } from './memory.ts';
import type { BenchOptions, DatabaseKind, Measurement } from './options.ts';
import { describeProportional, measureProportional } from './proportional.ts';
import { describeQuiet, measureQuiet } from './quiet.ts';
import type { Stage } from './stage.ts';

/** Figures for machines, and lines for people. */
interface Report {
  readonly figures: object;
  readonly lines: readonly string[];
}

type Measure<Figures> = (stage: Stage, kind: DatabaseKind, options: BenchOptions) => Promise<Figures>;

const reported =
  <Figures extends object>(
    measure: Measure<Figures>,
    describe: (figures: Figures) => readonly string[],
  ): Measure<Report> =>
  async (stage, kind, options) => {
    const figures = await measure(stage, kind, options);
    return { figures, lines: describe(figures) };
  };

/** What each measurement does, and on which databases: PGlite shares the worker's process and keeps no counts. */
export const MEASURES: Readonly<
  Record<Measurement, { readonly run: Measure<Report>; readonly on: readonly DatabaseKind[] }>
> = {
  'first-sync': { run: reported(measureFirstSync, describeFirstSync), on: ['postgres', 'pglite'] },
  quiet: { run: reported(measureQuiet, describeQuiet), on: ['postgres', 'pglite'] },
  memory: { run: reported(measureMemory, describeMemory), on: ['postgres'] },
  proportional: { run: reported(measureProportional, describeProportional), on: ['postgres'] },
  feed: { run: reported(measureFeed, describeFeed), on: ['postgres', 'pglite'] },
  fleet: { run: reported(measureFleet, describeFleet), on: ['postgres'] },
};
