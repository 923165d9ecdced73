import type { Fence } from '../store/store.ts';
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
  for (;;) {
    const due = await sync.suspectsDue(tenantNo);
    if (!due) return { end: 'done' };
    const { kind, ids } = due;
    const tally = { changes: 0 };
    const read = await pick(deps, slice, fences[`${kind}s`], ids, { why: 'second_look', tally });
    if (read.end !== 'done') return read;
    const settled = await sync.settleSuspects([fences.users, fences.groups], kind, ids, tally.changes);
    if (settled === 'superseded') return { end: 'superseded' };
    deps.log.info({ tenantNo, kind, looked: ids.length, changes: tally.changes }, 'Suspects were looked at again');
  }
}
