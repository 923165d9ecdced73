import type { FeedEvent } from '../../domain/event.ts';

export interface FeedStore {
  /** The newest cursor: `epoch-position`. */
  head(): Promise<string>;
  /** Events after the cursor in order; `expired` where retention dropped some, or the database was restored since. */
  read(
    after: string | undefined,
    limit: number,
    tenantNo?: number,
  ): Promise<{ readonly events: readonly FeedEvent[]; readonly cursor: string } | 'expired'>;
}
