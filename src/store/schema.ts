import type { ColumnType, Generated, Kysely, Transaction } from 'kysely';
import type { RoundKind } from '../domain/activities.ts';
import type { Guarded, GuardSettings, Sample } from '../domain/guard.ts';
import type { Feed, MemberType, RemovalReason } from '../domain/directory.ts';
import type { IntentKind } from '../domain/intent.ts';
import type { GrantCheck, Profile } from '../domain/permissions.ts';
import type { ProblemRecord } from '../domain/problem.ts';
import type { ScopeSettings } from '../domain/scope.ts';
import type { SignInSettings } from '../domain/sign-in.ts';
import type { Phase, TenantState } from '../domain/tenant.ts';
import type { ConsentStep } from './face/consents.ts';
import type { SubscribedResource } from './face/subscriptions.ts';
import type { ConsentCandidate, Presentation, SyncSummary } from './face/tenants.ts';

/** The tables as migrations/*.sql make them. Times are read as ISO 8601 strings, int8 as numbers. */
export interface Schema {
  tenant: TenantTable;
  tenant_token: { tenant_no: number; sealed: Uint8Array; expires_at: Time };
  intent: IntentTable;
  consent_attempt: ConsentAttemptTable;
  directory_user: ObjectTable;
  directory_group: ObjectTable;
  membership: MembershipTable & { told: Generated<boolean> };
  visible_membership: MembershipTable;
  round: RoundTable;
  checkpoint: CheckpointTable;
  staged_removal: {
    tenant_no: number;
    kind: RemovalKind;
    object_id: string;
    member_id: Generated<string>;
    reason: StagedReason;
  };
  held_set: HeldSetTable;
  held_removal: Schema['staged_removal'] & { generation: number; cancelled: Generated<boolean> };
  round_mark: {
    tenant_no: number;
    kind: 'user' | 'group' | 'membership';
    object_id: string;
    member_id: Generated<string>;
  };
  reconcile: ReconcileTable;
  throttle: { tenant_no: number; until: Time };
  skipped_part: { tenant_no: number; feed: Feed; reason: string; count: number; last_at: Time };
  subscription: SubscriptionTable;
  notification_state: NotificationStateTable;
  feed: { epoch: number; database_identity: string | null; head: number; floor: number };
  event: EventTable;
}

export type Database = Kysely<Schema>;
export type Tx = Transaction<Schema>;

/** `scope`: no more to be mirrored, by what the directory says; `rescoped`: by the operator's change of the scope. */
export type StagedReason = RemovalReason | 'scope' | 'rescoped';
export type RemovalKind = 'membership' | 'group' | 'user' | 'disable';

/** Written as JSON text: the drivers would take an array for one of PostgreSQL's. */
type Json<T> = ColumnType<T, string, string>;
type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;
type Time = ColumnType<string, Date | string, Date | string>;
type NullableTime = ColumnType<string | null, Date | string | null | undefined, Date | string | null>;

export interface TenantTable {
  no: ColumnType<number, never, never>;
  id: string;
  name: string | null;
  phase: ColumnType<Phase, Phase | undefined, Phase>;
  paused: Generated<boolean>;
  problem: NullableJson<ProblemRecord>;
  state: ColumnType<TenantState, TenantState | undefined, TenantState>;
  groups_to_sync: Json<string[]>;
  expected_entra_tenant: string | null;
  entra_tenant: ColumnType<string | null, string | null | undefined, string | null>;
  candidate: NullableJson<ConsentCandidate>;
  shared_directory: boolean;
  require_approval: boolean;
  guard: ColumnType<GuardSettings, string | undefined, string>;
  profiles: ColumnType<Profile[], string | undefined, string>;
  presentation: ColumnType<Presentation, string | undefined, string>;
  grant_check: NullableJson<GrantCheck>;
  scope: ColumnType<ScopeSettings, string | undefined, string>;
  sign_in: ColumnType<SignInSettings, string | undefined, string>;
  link_serial: Generated<number>;
  link_revoked: Generated<boolean>;
  retain_days: Generated<number>;
  revoked_at: NullableTime;
  purged_at: NullableTime;
  last_sync: NullableJson<SyncSummary>;
  as_of: NullableTime;
  /** When the last full round began that was read to its end. */
  read_as_of: NullableTime;
  users: Generated<number>;
  groups: Generated<number>;
  memberships: Generated<number>;
  created_at: ColumnType<string, never, never>;
  updated_at: ColumnType<string, never, Date | string>;
  deleting_at: NullableTime;
  deleted_at: NullableTime;
}

interface IntentTable {
  id: string;
  seq: ColumnType<number, never, never>;
  tenant_no: number;
  kind: IntentKind;
  created_at: ColumnType<string, never, never>;
  taken_at: NullableTime;
}

interface ConsentAttemptTable {
  state_hash: Uint8Array;
  tenant_no: number;
  step: ConsentStep;
  browser_hash: Uint8Array;
  entra_tenant: string | null;
  sealed: Uint8Array | null;
  expires_at: Time;
  used_at: NullableTime;
}

interface ObjectTable {
  tenant_no: number;
  id: string;
  data: Json<Record<string, unknown>>;
  deleted_at: NullableTime;
}

interface MembershipTable {
  tenant_no: number;
  group_id: string;
  member_id: string;
  member_type: MemberType;
}

export interface RoundTable {
  tenant_no: number;
  id: string;
  kind: RoundKind;
  quiet: boolean;
  marks: boolean;
  started_at: Time;
  completed_at: NullableTime;
  pages: Generated<number>;
  changes: Generated<number>;
  users: Generated<number>;
  groups: Generated<number>;
  memberships: Generated<number>;
  set_aside: ColumnType<Feed | null, Feed | null | undefined, Feed | null>;
}

interface HeldSetTable {
  tenant_no: number;
  since: ColumnType<string, never, never>;
  generation: Generated<number>;
  approved: number | null;
  exceeded: Json<Guarded[]>;
  sample: NullableJson<Sample>;
}

interface CheckpointTable {
  tenant_no: number;
  feed: Feed;
  epoch: Generated<number>;
  query_hash: string | null;
  delta_link: string | null;
  next_link: string | null;
  done: Generated<boolean>;
  pages: Generated<number>;
  full_pages: Generated<number>;
  barren: Generated<number>;
  anchor: string | null;
}

interface ReconcileTable {
  tenant_no: number;
  epoch: Generated<number>;
  comparing: Generated<boolean>;
  started_at: NullableTime;
  completed_at: NullableTime;
  users_link: string | null;
  users_done: Generated<boolean>;
  groups_link: string | null;
  groups_done: Generated<boolean>;
  pages: Generated<number>;
  barren: Generated<number>;
  anchor: string | null;
  compared: Generated<number>;
  suspected: Generated<number>;
  due_at: Time;
  counted_at: Generated<Time>;
  strikes: Generated<number>;
  off_users: Generated<number>;
  off_groups: Generated<number>;
  known_users: Generated<number>;
  known_groups: Generated<number>;
}

interface SubscriptionTable {
  tenant_no: number;
  resource: SubscribedResource;
  id: string;
  client_state_hash: Uint8Array;
  expires_at: Time;
}

interface NotificationStateTable {
  tenant_no: number;
  hint_pending_at: NullableTime;
  keep_at: NullableTime;
  base_url: string | null;
  failures: Generated<number>;
  failing_since: NullableTime;
}

interface EventTable {
  position: number;
  epoch: number;
  tenant_no: number;
  at: Time;
  type: string;
  subject_kind: string;
  subject_id: string;
  data: NullableJson<unknown>;
  changed: NullableJson<Record<string, readonly [unknown, unknown]>>;
  reason: string | null;
}
