import type { DirectoryRecord, ObjectStatus } from './directory-record.ts';
import type { ObjectRef } from './object-ref.ts';

export type ChangeKind =
  'created' | 'updated' | 'softDeleted' | 'purged' | 'restored' | 'memberAdded' | 'memberRemoved' | 'managerChanged';

/** One change of the directory. `before` and `statusBefore` let a read be answered from the past. */
export interface Change {
  /** Its place in the log, counted from 1. */
  readonly seq: number;
  readonly at: number;
  readonly kind: ChangeKind;
  /** The object that changed; for a membership, the group. */
  readonly ref: ObjectRef;
  /** The properties an update touched. */
  readonly properties: readonly string[];
  /** The member of a membership change, or the manager before a change of manager. */
  readonly other?: ObjectRef | undefined;
  readonly before?: DirectoryRecord | undefined;
  readonly statusBefore: ObjectStatus;
  /** Delta query never tells it. */
  readonly silent?: boolean;
}

/** Everything that happened to a directory after its generation, in order. A delta token is a place in this log. */
export class ChangeLog {
  readonly #changes: Change[] = [];
  /** Whether what happens from now on is kept from delta query. */
  silent = false;

  /** The place of the newest change; 0 before the first. */
  get head(): number {
    return this.#changes.length;
  }

  append(change: Omit<Change, 'seq'>): Change {
    const entry: Change = { ...change, seq: this.#changes.length + 1, silent: this.silent };
    this.#changes.push(entry);
    return entry;
  }

  /** The changes after place `from`, up to and including place `to`. */
  *between(from: number, to: number): Generator<Change> {
    for (let i = from; i < to; i += 1) {
      const change = this.#changes[i];
      if (change !== undefined && change.silent !== true) yield change;
    }
  }

  /** The changes later than a moment, newest first. */
  *newerThan(moment: number): Generator<Change> {
    for (let i = this.#changes.length - 1; i >= 0; i -= 1) {
      const change = this.#changes[i];
      if (change === undefined || change.at <= moment) return;
      yield change;
    }
  }
}
