import type { Feed } from '../domain/directory.ts';
import { PICKED_AT_ONCE } from '../domain/scope.ts';
import type { GraphFailure } from '../graph/failures.ts';
import type { Fence, OpenSlice } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import { endOf, type FeedEnd, type Slice } from './feed-run.ts';
import { pick } from './pick.ts';

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

/**
 * Asks for what the scope lets in and the mirror has not, by ids and whole: of somebody who joins a group to sync the users'
 * feed says nothing, and of somebody who is not mirrored it says a part. With `feed` for objects of that feed alone.
 */
export async function fillScope(
  deps: Deps,
  slice: Slice,
  opened: OpenSlice,
  fences: readonly Fence[],
  feed?: Feed,
): Promise<FeedEnd> {
  // Who was stored stays noted until the round's end: of a large group they are not gone through again with each question.
  for (let after: string | undefined; ;) {
    if (slice.pages.left <= 0 || deps.clock.now() >= slice.fetchUntil) return { end: 'unfinished' };
    const wanted = await deps.store.sync.wantedObjects(fences, PICKED_AT_ONCE, { feed, after });
    if (wanted === 'superseded') return { end: 'superseded' };
    if (!wanted) return DONE;
    const tally = { changes: 0 };
    const end = await pick(deps, slice, opened.feeds[wanted.feed].fence, wanted, tally);
    if (end.end === 'forbidden') return { ...end, beside: wanted.feed };
    if (end.end === 'refused') {
      // No tenant stands still for it: they stay wanted, and are asked for again in the next round.
      const { tenantNo } = slice;
      deps.log.warn(
        { tenantNo, feed: wanted.feed, objects: wanted.ids.length, code: end.code },
        'What the scope lets in is not shown',
      );
      return DONE;
    }
    if (end.end !== 'done') return end;
    slice.wrote(tally.changes, 1);
    const done = await deps.store.sync.objectsPicked(fences, wanted);
    if (done === 'superseded') return { end: 'superseded' };
    if (wanted.feed === 'users') after = wanted.ids.at(-1);
  }
}

/** A read that did not come to an answer ends the slice as a page of a feed would. */
function failed(deps: Deps, slice: Slice, got: GraphFailure): Promise<FeedEnd> {
  return endOf(deps, slice, 'a read', got);
}
