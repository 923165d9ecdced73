import type { KeyRole } from '../domain/api-key.ts';
import { describeProblem } from '../domain/problem.ts';
import type { TenantRow } from '../store/face/tenants.ts';
import { setupUrlOf } from './consent/setup-link.ts';
import type { ApiDeps } from './deps.ts';
import { shownOf } from './schemas/connect.ts';
import { reconcileShown } from './schemas/reconcile.ts';
import type { TenantJson } from './schemas/tenant.ts';

/** A tenant as the contract shows it. Whoever may change nothing is not handed a link that does. */
export function toTenant(
  row: TenantRow,
  viewer: KeyRole,
  deps: Pick<ApiDeps, 'config' | 'sealer'>,
  now = new Date(),
): TenantJson {
  const problem = row.problem === null ? null : describeProblem(row.problem, row.scopeGroups);
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    phase: row.phase,
    paused: row.paused,
    problem: problem === null ? null : { ...problem, steps: [...problem.steps] },
    entraTenantId: row.entraTenantId,
    setupUrl: viewer === 'administrator' ? setupUrlOf(row, deps, now) : null,
    progress:
      row.round === null
        ? null
        : {
            kind: row.round.kind,
            startedAt: row.round.startedAt,
            pages: row.round.pages,
            changes: row.round.changes,
          },
    counts: row.counts,
    lastSync: row.lastSync,
    asOf: row.asOf,
    reconcile: reconcileShown(row.reconcile),
    groupsToSync: [...row.groupsToSync],
    scope: {
      ...row.scope,
      userAttributes: [...row.scope.userAttributes],
      groupAttributes: [...row.scope.groupAttributes],
    },
    scopeGroups: row.scopeGroups.map((group) => ({ ...group, candidates: [...group.candidates] })),
    expectedEntraTenant: row.expectedEntraTenant,
    requireApproval: row.requireApproval,
    sharedDirectory: row.sharedDirectory,
    guard: row.guard,
    retainAfterRevocation: row.retainDays,
    profiles: [...row.profiles],
    ...shownOf(row.presentation),
    signIn: { ...row.signIn, returnUrls: [...row.signIn.returnUrls] },
    candidate: row.candidate === null ? null : { ...row.candidate, domains: [...row.candidate.domains] },
    createdAt: row.createdAt,
    deletingAt: row.deletingAt,
  };
}
