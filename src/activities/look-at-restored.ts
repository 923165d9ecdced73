import type { MembershipsOutcome } from '../graph/memberships.ts';
import type { Fence, RestoredObject } from '../store/face/sync.ts';
import type { ActivityDeps } from './deps.ts';
import { endOf, type FeedEnd, type Slice } from './feed-run.ts';

/** Reads at a time: enough to hide their latency, few enough to leave the tenant's quota to the feeds. */
const LOOKS_AT_ONCE = 4;

const SHORT_WAIT_MS = 1_000;

type Deps = Pick<ActivityDeps, 'store' | 'graph' | 'clock' | 'log' | 'patience'>;

/**
 * Asks Graph for the memberships of whoever came back in this round or before, and settles what was kept of them: the
 * delta feed says nothing of them by itself. Each is settled by itself, so that a crash repeats one look.
 */
export async function lookAtRestored(deps: Deps, slice: Slice, fences: readonly Fence[]): Promise<FeedEnd> {
  for (;;) {
    const due = await deps.store.sync.restoredDue(slice.tenantNo);
    if (due.length === 0) return { end: 'done' };
    for (let at = 0; at < due.length; at += LOOKS_AT_ONCE) {
      if (deps.clock.now() >= slice.fetchUntil) return { end: 'unfinished' };
      const some = due.slice(at, at + LOOKS_AT_ONCE);
      // All of them end before this returns: nothing is in flight or half written then.
      const settled = await Promise.allSettled(some.map((restored) => look(deps, slice, fences, restored)));
      for (const one of settled) {
        if (one.status === 'rejected') throw one.reason;
        if (one.value.end !== 'done') return one.value;
      }
    }
  }
}

async function look(deps: Deps, slice: Slice, fences: readonly Fence[], restored: RestoredObject): Promise<FeedEnd> {
  const { tenantNo } = slice;
  const got = await read(deps, slice, restored);
  const asksToWait = got.kind === 'throttled' || (got.kind === 'unavailable' && !isPlain(got));
  if (got.kind === 'token_rejected' || asksToWait) return endOf(deps, slice, undefined, got);
  if (got.kind !== 'listed' && got.kind !== 'not_found') {
    // One object that cannot be read stops no tenant: what was kept of it waits, and is told in the end.
    deps.log.warn(
      { tenantNo, kind: restored.kind, answer: got.kind },
      'The memberships of a restored object are not shown',
    );
  }
  const listed = got.kind === 'listed' ? got.memberships : 'not_seen';
  const settled = await deps.store.sync.settleRestored(fences, restored, listed);
  slice.beat();
  return settled === 'superseded' ? { end: 'superseded' } : { end: 'done' };
}

/** One bad answer costs a moment; what lasts longer is left to the next round. */
async function read({ graph, clock }: Deps, slice: Slice, restored: RestoredObject): Promise<MembershipsOutcome> {
  const { accessToken, beat, signal } = slice;
  const got = await graph.memberships({ ...restored, accessToken, beat, signal });
  if (!isPlain(got)) return got;
  await clock.sleep(SHORT_WAIT_MS, signal);
  return graph.memberships({ ...restored, accessToken, beat, signal });
}

/** No answer, and nobody asks to wait. */
function isPlain(got: MembershipsOutcome): boolean {
  return got.kind === 'unavailable' && got.retryAfterMs === undefined;
}
