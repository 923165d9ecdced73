import type { Feed } from '../domain/directory.ts';
import { PICKED_AT_ONCE } from '../domain/scope.ts';
import type { Fence, OpenSlice, WantedObjects } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import type { FeedEnd, Slice } from './feed-run.ts';
import { pick } from './pick.ts';

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

const DONE: FeedEnd = { end: 'done' };

/**
 * Asks for what the scope lets in and the mirror has not, by ids and whole: of somebody who joins a group to sync the users'
 * feed says nothing, and of somebody who is not mirrored it says a part. Then, with or without a scope, for what is mirrored in
 * part. With `feed` for objects of that feed alone.
 */
export async function fetchWanted(
  deps: Deps,
  slice: Slice,
  opened: OpenSlice,
  fences: readonly Fence[],
  feed?: Feed,
): Promise<FeedEnd> {
  let refused: FeedEnd = DONE;
  // Who was stored stays noted until the round's end: of a large group they are not gone through again with each question.
  for (let after: string | undefined; ;) {
    if (slice.pages.left <= 0 || deps.clock.now() >= slice.fetchUntil) {
      return refused.end === 'done' ? { end: 'unfinished' } : refused;
    }
    const wanted = await deps.store.sync.wantedObjects(fences, PICKED_AT_ONCE, { feed, after });
    if (wanted === 'superseded') return { end: 'superseded' };
    if (!wanted) return refused;
    const tally = { changes: 0 };
    const end = await pick(deps, slice, opened.feeds[wanted.feed].fence, wanted, tally);
    const verdict = verdictOn(wanted, end);
    if (end.end !== 'done' && end !== verdict) {
      const { feed: of, why, ids } = wanted;
      deps.log.warn(
        { tenantNo: slice.tenantNo, feed: of, why, objects: ids.length, answer: end.end },
        'What is asked for by id is not shown',
      );
    }
    if (verdict === 'settled') {
      slice.wrote(tally.changes, 1);
      const done = await deps.store.sync.objectsPicked(fences, wanted);
      if (done === 'superseded') return { end: 'superseded' };
    } else {
      // A full round needs all of what it asks for.
      if (end.end !== 'refused' && (end.end !== 'forbidden' || opened.kind === 'full')) return verdict;
      const left = await deps.store.sync.objectsRefused(fences, wanted);
      if (left === 'superseded') return { end: 'superseded' };
      if (left === 'begun') return verdict;
      // The others are not kept waiting by these, neither now nor in the next rounds.
      if (refused.end === 'done') refused = verdict;
    }
    const last = wanted.ids.at(-1);
    // Those that earlier rounds asked for come after all others.
    if (wanted.why === 'due' && wanted.feed === 'users' && last !== undefined && !(after && last < after)) after = last;
  }
}

/** No tenant stands still for it: a part that Graph does not show whole stays one, and what a scope wants stays wanted. */
function verdictOn({ feed, why }: WantedObjects, end: FeedEnd): 'settled' | FeedEnd {
  const isPart = why === 'partial';
  switch (end.end) {
    case 'done':
      return 'settled';
    case 'refused':
      return isPart ? 'settled' : DONE;
    case 'forbidden':
      return isPart ? 'settled' : { ...end, beside: feed };
    case 'expired':
    case 'faulty':
      return isPart ? 'settled' : end;
    case 'unavailable':
      return isPart ? DONE : end;
    default:
      return end;
  }
}
