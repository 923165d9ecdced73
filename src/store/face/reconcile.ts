import type { DeltaPage, Feed } from '../../domain/directory.ts';
import type { Drift, DriftCount } from '../../domain/reconcile.ts';
import type { Chosen } from '../../domain/scope.ts';
import type { Skipping } from './sync.ts';

export interface ReconcileFence {
  readonly tenantNo: number;
  readonly epoch: number;
}

export type OpenReconcile =
  /** Graph's own counts are to be compared. */
  | { readonly step: 'count'; readonly fence: ReconcileFence; readonly chosen: Chosen }
  | {
      readonly step: 'compare';
      readonly fence: ReconcileFence;
      readonly chosen: Chosen;
      readonly feeds: Readonly<Record<Feed, { readonly done: boolean; readonly link: string | undefined }>>;
    };

/** The last reconcile of a tenant, or the running one. Times are ISO 8601. */
export interface ReconcileStatus {
  readonly comparing: boolean;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly dueAt: string;
  /** Objects and memberships. */
  readonly compared: number;
  /** Objects of which it said something else than the mirror. */
  readonly suspected: number;
  /** Of those, how many wait for their second look. */
  readonly waiting: number;
  /** Differences that a second look confirmed: what delta query was silent about. */
  readonly drift: number;
  readonly driftByKind: Drift;
}

export interface ReconcileStore {
  /** Raises its fence, and begins or goes on where something is due. */
  open(tenantNo: number): Promise<OpenReconcile | 'nothing_due'>;
  /** Holds a page of a fresh initial round against the mirror, of which it writes nothing. `faulty` as of a round's page. */
  comparePage(
    fence: ReconcileFence,
    feed: Feed,
    page: DeltaPage & Skipping,
  ): Promise<'compared' | 'faulty' | 'superseded'>;
  /** After both feeds. */
  finish(fence: ReconcileFence): Promise<{ readonly compared: number; readonly suspected: number } | 'superseded'>;
  /** Its links are dead, or Microsoft refuses: it begins anew, after so many milliseconds. */
  startOver(fence: ReconcileFence, inMs: number): Promise<void>;
  /** Graph's counts, held against the mirror's: a suspicion where they differ twice in a row, and not as is known of them. */
  counted(fence: ReconcileFence, counts: Readonly<Record<Feed, number>>): Promise<void>;
  /** It is wanted now. */
  ask(tenantNo: number): Promise<void>;
  /** Undefined before the first full round is complete. */
  status(tenantNo: number): Promise<ReconcileStatus | undefined>;
  /** What the last reconciles of all tenants confirmed. */
  driftOfAll(): Promise<readonly DriftCount[]>;
}
