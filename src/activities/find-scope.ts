import type { GraphFailure } from '../graph/failures.ts';
import type { Fence, OpenSlice } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import { endOf, type FeedEnd, type Slice } from './feed-run.ts';

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

const DONE: FeedEnd = { end: 'done' };

/** What must be known before the feeds of a tenant with a scope: its groups by name, and who is assigned to the application. */
export async function findScope(
  deps: Deps,
  slice: Slice,
  fences: readonly Fence[],
  scope: NonNullable<OpenSlice['scope']>,
): Promise<FeedEnd> {
  const { accessToken, beat, signal } = slice;
  const entries = await deps.store.sync.unresolvedGroups(fences);
  if (entries === 'superseded') return { end: 'superseded' };
  for (const entry of entries) {
    if (deps.clock.now() >= slice.fetchUntil) return { end: 'unfinished' };
    beat();
    const got = await deps.graph.findGroups({ displayName: entry, accessToken, signal });
    if (got.kind !== 'found') return failed(deps, slice, got);
    const settled = await deps.store.sync.groupFound(fences, entry, got.groups);
    if (settled === 'superseded') return { end: 'superseded' };
  }
  if (!scope.assignedOnly) return DONE;
  const got = await deps.graph.assigned({ accessToken, beat, signal });
  if (got.kind !== 'listed') return failed(deps, slice, got);
  const listed = await deps.store.sync.assignedListed(fences, got.assignments);
  return listed === 'superseded' ? { end: 'superseded' } : DONE;
}

/** A read that did not come to an answer ends the slice as a page of a feed would. */
function failed(deps: Deps, slice: Slice, got: GraphFailure): Promise<FeedEnd> {
  return endOf(deps, slice, 'a read', got);
}
