import { type Sample, type Suspect, verdictOn } from '../domain/guard.ts';
import type { RoundKind } from '../domain/activities.ts';
import type { PresenceOutcome } from '../graph/presence.ts';
import type { Confirmation } from '../store/store.ts';
import type { ActivityDeps } from './deps.ts';
import type { Slice } from './feed-run.ts';

/** Why a fresh read came to no verdict: the slice ends for it. */
export type ReadEnd = Extract<PresenceOutcome, { kind: 'throttled' | 'unavailable' | 'token_rejected' }>;

export interface ConfirmedRemovals {
  /** What the store asks before it holds a round's removals. */
  readonly confirm: (suspects: readonly Suspect[]) => Promise<Confirmation>;
  /** Set where the answer was `stop`: the feed is not believed, or Graph gave no answer. */
  readonly stopped: () => 'read_again' | ReadEnd | undefined;
}

/** Looks at some of a round's removals afresh, through Graph's objects and not through its feed. */
export function confirmRemovals(
  { graph, log }: Pick<ActivityDeps, 'graph' | 'log'>,
  slice: Slice,
  kind: RoundKind,
): ConfirmedRemovals {
  let stopped: 'read_again' | ReadEnd | undefined;
  const { tenantNo, accessToken, signal } = slice;
  return {
    stopped: () => stopped,
    async confirm(suspects) {
      let sample: Sample = { read: 0, stillThere: 0 };
      for (const suspect of suspects) {
        slice.beat();
        const got = await graph.presence({ suspect, accessToken, signal });
        if (got.kind === 'throttled' || got.kind === 'unavailable' || got.kind === 'token_rejected') {
          stopped = got;
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
