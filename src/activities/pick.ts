import type { Fence } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import { endOf, fetchPage, type FeedEnd, type Slice } from './feed-run.ts';

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

/**
 * Reads objects of a feed by their ids, at most `PICKED_AT_ONCE`, whole as the feed sees them now, and writes them as its
 * pages are. Counts the changes into `tally`.
 */
export async function pick(
  deps: Deps,
  slice: Slice,
  fence: Fence,
  ids: readonly string[],
  options: { readonly why?: 'second_look'; readonly tally?: { changes: number } } = {},
): Promise<FeedEnd> {
  const { feed } = fence;
  const seen = new Set<string>();
  for (let link: string | undefined; ;) {
    if (deps.clock.now() >= slice.fetchUntil) return { end: 'unfinished' };
    const got = await fetchPage(deps, slice, { feed, link, ids, fromDelta: false }, slice.signal);
    if (got.kind !== 'page') return endOf(deps, slice, link, got);
    const applied = await deps.store.sync.applyPicked(fence, { ...got.page, skipped: got.skipped }, options.why);
    if (applied === 'superseded') return { end: 'superseded' };
    if (options.tally) options.tally.changes += applied.changes;
    link = got.page.nextLink;
    if (link === undefined) return { end: 'done' };
    if (seen.has(link)) return { end: 'faulty' };
    seen.add(link);
  }
}
