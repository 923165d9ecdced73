import type { Fence } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import type { FeedEnd, Slice } from './feed-run.ts';
import { pick } from './pick.ts';

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

/**
 * Looks a second time at what a reconcile found. A reconcile may be older than the delta feed; what differs still, after a
 * delta round that began later, is what the feed was silent about: it is applied with its events, and counted as drift.
 */
export async function settleSuspects(
  deps: Deps,
  slice: Slice,
  fences: Record<'users' | 'groups', Fence>,
): Promise<FeedEnd> {
  const { sync } = deps.store;
  const { tenantNo } = slice;
  const both = [fences.users, fences.groups];
  for (;;) {
    const due = await sync.suspectsDue(both);
    if (due === 'superseded') return { end: 'superseded' };
    if (!due) return { end: 'done' };
    const { feed, ids } = due;
    const read = await pick(deps, slice, fences[feed], due);
    if (isRefused(read)) {
      // No tenant stands still for it: the next reconcile finds them again.
      deps.log.warn({ tenantNo, feed, suspects: ids.length, answer: read.end }, 'Suspects cannot be looked at again');
      if ((await sync.dropSuspects(both, due)) === 'superseded') return { end: 'superseded' };
      continue;
    }
    if (read.end !== 'done') return read;
    const settled = await sync.settleSuspects(both, due);
    if (settled === 'superseded') return { end: 'superseded' };
    deps.log.info({ tenantNo, feed, looked: ids.length, ...settled }, 'Suspects were looked at again');
  }
}

function isRefused({ end }: FeedEnd): boolean {
  return end === 'refused' || end === 'forbidden' || end === 'expired' || end === 'faulty';
}
