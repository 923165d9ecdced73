import { guardOf } from '../domain/guard.ts';
import { scopeOf } from '../domain/scope.ts';
import { signInOf } from '../domain/sign-in.ts';
import { sql } from 'kysely';
import { reconcileColumn, reconcileFromJson } from './drift.ts';
import type { Database } from './schema.ts';
import { scopeGroupsColumn } from './scope/groups.ts';
import type { TenantRow } from './face/tenants.ts';

/** Live tenants, each with its running round. */
export function selectTenants(db: Database) {
  return db
    .selectFrom('tenant as t')
    .leftJoin('round as r', (join) => join.onRef('r.tenant_no', '=', 't.no').on('r.completed_at', 'is', null))
    .selectAll('t')
    .select(scopeGroupsColumn(sql`t.no`).as('scope_groups'))
    .select(reconcileColumn(sql`t.no`).as('reconcile'))
    .select([
      'r.id as round_id',
      'r.kind as round_kind',
      'r.started_at as round_started_at',
      'r.pages as round_pages',
      'r.changes as round_changes',
    ])
    .where('t.deleted_at', 'is', null);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectTenants>['execute']>>[number];

export function tenantFromRow(row: Row): TenantRow {
  return {
    no: row.no,
    id: row.id,
    name: row.name,
    phase: row.phase,
    paused: row.paused,
    problem: row.problem,
    state: row.state,
    groupsToSync: row.groups_to_sync,
    scope: scopeOf(row.scope),
    scopeGroups: row.scope_groups ?? [],
    expectedEntraTenant: row.expected_entra_tenant,
    entraTenantId: row.entra_tenant,
    candidate: row.candidate,
    requireApproval: row.require_approval,
    sharedDirectory: row.shared_directory,
    guard: guardOf(row.guard),
    profiles: row.profiles,
    presentation: row.presentation,
    grantCheck: row.grant_check,
    signIn: signInOf(row.sign_in),
    linkSerial: row.link_serial,
    linkRevoked: row.link_revoked,
    lastSync: row.last_sync,
    asOf: row.as_of,
    counts: { users: row.users, groups: row.groups, memberships: row.memberships },
    round: roundFromRow(row),
    reconcile: row.reconcile && reconcileFromJson(row.reconcile),
    retainDays: row.retain_days,
    createdAt: row.created_at,
    deletingAt: row.deleting_at,
  };
}

function roundFromRow(row: Row): TenantRow['round'] {
  if (row.round_id === null || row.round_kind === null || row.round_started_at === null) return null;
  return {
    id: row.round_id,
    kind: row.round_kind,
    startedAt: row.round_started_at,
    pages: row.round_pages ?? 0,
    changes: row.round_changes ?? 0,
  };
}
