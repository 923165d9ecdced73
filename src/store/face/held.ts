import type { Attributes, RemovalReason } from '../../domain/directory.ts';
import type { Guarded, Sample } from '../../domain/guard.ts';
import type { Page } from './tenants.ts';

export const HELD_KINDS = ['users', 'groups', 'memberships', 'disables'] as const;
export type HeldKind = (typeof HELD_KINDS)[number];

export interface HeldSummary {
  readonly since: string;
  readonly exceeded: readonly Guarded[];
  /** What a fresh read of some entries showed, where there was one. */
  readonly sample: Sample | null;
  /** What an approval would take away now, memberships of the objects that go included. */
  readonly counts: Readonly<Record<HeldKind, number>>;
}

export interface HeldRow {
  /** For a membership `groupId:memberId`. */
  readonly id: string;
  /** Of the object; of a membership those of its group. */
  readonly data: Attributes | null;
  readonly reason: RemovalReason | 'scope' | 'disabled' | 'left' | 'group_removed' | 'member_removed';
}

export interface HeldStore {
  /** Undefined where nothing is held. */
  summary(tenantNo: number): Promise<HeldSummary | undefined>;
  list(tenantNo: number, kind: HeldKind, after: string | undefined, limit: number): Promise<Page<HeldRow>>;
  /** Applies what was approved with its events, in batches; may be repeated. Returns since when something is held still. */
  approve(tenantNo: number, heartbeat: () => void): Promise<string | undefined>;
  reject(tenantNo: number): Promise<void>;
}
