import { type Sample, verdictOn } from '../domain/guard.ts';
import type { RoundKind } from '../domain/activities.ts';
import type { Fence, RemovalLooks } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import { endOf, type FeedEnd, type Slice } from './feed-run.ts';
import { pick } from './pick.ts';

/** What the store asks before it believes removals, and why a look came to no verdict: the slice ends for it. */
export interface ConfirmedRemovals extends RemovalLooks {
  /** Set where the answer was `stop`: the feed is not believed, or Graph gave no answer. */
  readonly stopped: () => 'read_again' | FeedEnd | undefined;
}

/** Looks at a round's removals afresh. */
export function confirmRemovals(
  deps: Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>,
  slice: Slice,
  kind: RoundKind,
  groups: Fence,
): ConfirmedRemovals {
  const { graph, log } = deps;
  let stopped: 'read_again' | FeedEnd | undefined;
  const { tenantNo, accessToken, signal } = slice;
  return {
    stopped: () => stopped,
    async relist(missed) {
      const read = await pick(deps, slice, groups, missed);
      if (read.end === 'done') return 'relisted';
      if (read.end === 'refused' || read.end === 'forbidden' || read.end === 'expired' || read.end === 'faulty') {
        // What can be asked no second time must be believed at the first: no tenant stands still for it.
        log.warn(
          { tenantNo, groups: missed.ids.length, answer: read.end },
          'Missing memberships are not looked at again',
        );
        return 'relisted';
      }
      stopped = read;
      return 'stop';
    },
    // Through Graph's objects and not through its feed.
    async confirm(suspects) {
      let sample: Sample = { read: 0, stillThere: 0 };
      for (const suspect of suspects) {
        slice.beat();
        const got = await graph.presence({ suspect, accessToken, signal });
        if (got.kind === 'throttled' || got.kind === 'unavailable' || got.kind === 'token_rejected') {
          stopped = await endOf(deps, slice, undefined, got);
          return { verdict: 'stop' };
        }
        if (got.kind === 'unknown') continue;
        sample = { read: sample.read + 1, stillThere: sample.stillThere + (got.kind === 'present' ? 1 : 0) };
      }
      log.warn({ tenantNo, kind, ...sample }, 'More would be removed at once than the guard lets pass');
      if (verdictOn(kind, sample) === 'hold') return { verdict: 'hold', sample };
      stopped = 'read_again';
      return { verdict: 'stop' };
    },
  };
}
