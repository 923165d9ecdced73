import { FEEDS, KIND_OF } from '../domain/directory.ts';
import type { Fence } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import { endOf, type FeedEnd, type Slice } from './feed-run.ts';

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

const DONE: FeedEnd = { end: 'done' };

/**
 * Lists who is deleted in the directory, where groups of a scope were read since: nobody tells the memberships of whom the
 * mirror does not know once they are restored. No round waits for it: a reconcile finds whom a refused list does not show.
 */
export async function listDeleted(deps: Deps, slice: Slice, fences: readonly Fence[]): Promise<FeedEnd> {
  const { sync } = deps.store;
  const wanted = await sync.wantsDeleted(fences);
  if (wanted === 'superseded') return { end: 'superseded' };
  if (!wanted) return DONE;
  const { tenantNo, accessToken, beat, signal } = slice;
  const deleted = { users: [] as readonly string[], groups: [] as readonly string[] };
  for (const feed of FEEDS) {
    const got = await deps.graph.deleted({ kind: KIND_OF[feed], accessToken, beat, signal });
    switch (got.kind) {
      case 'listed':
        deleted[feed] = got.ids;
        break;
      case 'token_rejected':
      case 'throttled':
        return endOf(deps, slice, 'a read', got);
      case 'unavailable':
        if (got.retryAfterMs !== undefined) return endOf(deps, slice, 'a read', got);
        deps.log.warn({ tenantNo, feed }, 'The list of who is deleted could not be read: the next round asks again');
        return DONE;
      default:
        deps.log.warn({ tenantNo, feed, answer: got.kind }, 'The list of who is deleted is not shown');
    }
  }
  return (await sync.deletedListed(fences, deleted)) === 'superseded' ? { end: 'superseded' } : DONE;
}
