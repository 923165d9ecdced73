import type { Fence, WantedObjects } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import { endOf, fetchPage, type FeedEnd, type Slice } from './feed-run.ts';

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

/**
 * Reads objects of a feed by their ids, at most `PICKED_AT_ONCE`, whole as the feed sees them now, and writes them as its
 * pages are: what one slice does not come to the next one does. Counts the changes into `tally`.
 */
export async function pick(
  deps: Deps,
  slice: Slice,
  fence: Fence,
  wanted: WantedObjects,
  tally?: { changes: number },
): Promise<FeedEnd> {
  const { feed, ids } = wanted;
  const seen = new Set<string>();
  let { link } = wanted;
  let mayBeOld = link !== undefined;
  for (;;) {
    if (deps.clock.now() >= slice.fetchUntil) return { end: 'unfinished' };
    const got = await fetchPage(deps, slice, { feed, link, ids, fromDelta: false }, slice.signal);
    if (got.kind === 'delta_expired' && mayBeOld) {
      mayBeOld = false;
      link = undefined;
      continue;
    }
    if (got.kind !== 'page') return endOf(deps, slice, link, got);
    const page = { ...got.page, skipped: got.skipped };
    const applied = await deps.store.sync.applyPicked(fence, { ...wanted, link }, page);
    if (applied === 'superseded') return { end: 'superseded' };
    if (tally) tally.changes += applied.changes;
    if (applied.faulty) return { end: 'faulty' };
    link = got.page.nextLink;
    if (link === undefined) return { end: 'done' };
    if (seen.has(link)) return { end: 'faulty' };
    seen.add(link);
  }
}
