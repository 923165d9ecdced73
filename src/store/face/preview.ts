import type { Feed } from '../../domain/directory.ts';
import type { ObjectRow } from './directory.ts';

/** Who would be mirrored: by ids of groups (null: all) with members that are not mirrored yet, and of assigned people. */
export interface ScopeTarget {
  readonly guests: boolean;
  readonly disabled: boolean;
  readonly groups: readonly string[] | null;
  readonly members: readonly string[];
  readonly assigned: readonly string[] | null;
}

export interface Some<T> {
  readonly count: number;
  readonly sample: readonly T[];
}

export interface ScopePreviewStore {
  /** Of these groups those that are mirrored, and the groups that are members of them. */
  inside(
    tenantNo: number,
    groups: readonly string[],
  ): Promise<{ readonly mirrored: readonly string[]; readonly members: readonly string[] }>;
  /** Of these ids those that are mirrored. */
  mirrored(
    tenantNo: number,
    ids: Readonly<Record<Feed, readonly string[]>>,
  ): Promise<Readonly<Record<Feed, readonly string[]>>>;
  /** Who is mirrored and would not be. */
  leavers(
    tenantNo: number,
    target: ScopeTarget,
    limit: number,
  ): Promise<{ readonly users: Some<ObjectRow>; readonly groups: Some<ObjectRow> }>;
  /** Ids of people who are not mirrored and may come to be, filters apart. */
  candidates(tenantNo: number, target: ScopeTarget, limit: number): Promise<readonly string[]>;
}
