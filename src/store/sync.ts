import { createCompleteRound } from './complete.ts';
import { createApplyPages, createApplyPicked } from './pages.ts';
import { createApplyRemovals } from './removals.ts';
import { createRestored } from './restored.ts';
import { createRounds } from './rounds.ts';
import { createAssigned } from './scope/assigned.ts';
import { createDeleted } from './scope/deleted.ts';
import { createDue } from './scope/due.ts';
import { createScopeGroups } from './scope/groups.ts';
import { createSuspects } from './suspects.ts';
import { createThrottle } from './throttle.ts';
import { createSkipped } from './skipped.ts';
import type { Database } from './schema.ts';
import type { SyncStore } from './face/sync.ts';

/** A round from its first slice to its summary. */
export function createSync(db: Database): SyncStore {
  return {
    ...createRounds(db),
    applyPages: createApplyPages(db),
    applyPicked: createApplyPicked(db),
    ...createSkipped(db),
    ...createThrottle(db),
    ...createRestored(db),
    ...createScopeGroups(db),
    ...createAssigned(db),
    ...createDeleted(db),
    ...createDue(db),
    ...createSuspects(db),
    applyRemovals: createApplyRemovals(db),
    completeRound: createCompleteRound(db),
  };
}
