import type { Retention } from '../../domain/retention.ts';

export interface RetentionStore {
  /** Drops events, audit entries, taken intents and people who were soft-deleted too long ago, a batch a transaction. */
  sweep(keep?: Retention): Promise<void>;
  /**
   * Erases all that is kept of somebody who is soft-deleted, not mirrored, or goes by the directory's word and is held.
   * `living`: nothing is done.
   */
  erasePerson(tenantNo: number, userId: string): Promise<'erased' | 'living'>;
}
