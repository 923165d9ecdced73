import {
  credentialFindings,
  egressFindings,
  inOrder,
  tenantFindings,
  throttleFinding,
  type Finding,
} from '../domain/doctor.ts';
import { REQUIRED_PERMISSIONS } from '../domain/names.ts';
import { permissionsOf as permissionsByProfile } from '../domain/permissions.ts';
import { describeProblem } from '../domain/problem.ts';
import { isWhole, selectionOf } from '../domain/scope.ts';
import { mayFetch } from '../domain/tenant.ts';
import type { ReconcileStatus } from '../store/face/reconcile.ts';
import type { SubscriptionKeeping } from '../store/face/subscriptions.ts';
import type { SkippedPart } from '../store/face/sync.ts';
import type { TenantRow } from '../store/face/tenants.ts';
import type { ApiDeps } from './deps.ts';

/** So many intervals without a completed round are no longer chance. */
const LATE_AFTER_INTERVALS = 3;
const LATE_AT_LEAST_MS = 5 * 60_000;

/** The way to Microsoft, our own credentials, what Microsoft says, and what the database knows: the gravest first, then the cause. */
export async function diagnose(tenant: TenantRow, deps: DiagnosisDeps, now = Date.now()): Promise<Finding[]> {
  const { graph, store, config } = deps;
  const [hosts, credentials, live, throttled, subscriptions, skipped, reconcile] = await Promise.all([
    graph.lookAtHosts(),
    graph.lookAtCredentials(),
    mayAsk(tenant)
      ? graph.inspect(tenant.entraTenantId, AbortSignal.timeout(ASK_MS)).catch(() => undefined)
      : undefined,
    store.sync.throttled(tenant.no),
    store.subscriptions.keeping(tenant.no),
    store.sync.skipped(tenant.no),
    store.reconcile.status(tenant.no),
  ]);
  const seen = [
    ...egressFindings(hosts),
    ...credentialFindings(credentials, now),
    ...(throttled === undefined ? [] : [throttleFinding(throttled)]),
    ...(live === undefined ? [] : tenantFindings(live, permissionsByProfile(tenant.profiles))),
  ];
  // What Microsoft says now is not told a second time as what it said at the last try.
  const told = new Set(seen.map(({ code }) => ALSO[code] ?? code));
  const remembered = [consentOf(tenant), problemOf(tenant), permissionsOf(tenant)].filter(
    (finding) => finding !== undefined && !told.has(finding.code) && !told.has(ALSO[finding.code] ?? finding.code),
  );
  const rest = [
    ...remembered,
    live === undefined && mayAsk(tenant) ? UNASKED : undefined,
    scopeFinding(tenant),
    freshnessOf(tenant, config.syncIntervalMs, now),
    skippedOf(skipped),
    reconcileOf(reconcile),
    subscriptionsOf(subscriptions),
  ];
  return inOrder([...seen, ...rest.filter((finding) => finding !== undefined)]);
}

export interface DiagnosisDeps {
  readonly graph: Pick<ApiDeps['graph'], 'lookAtHosts' | 'lookAtCredentials' | 'inspect'>;
  readonly store: ApiDeps['store'];
  readonly config: Pick<ApiDeps['config'], 'syncIntervalMs'>;
}

const ASK_MS = 20_000;
const UNASKED: Finding = {
  code: 'not_asked',
  level: 'error',
  title: 'Microsoft could not be asked about this directory',
  who: 'nobody: wait',
  steps: ['Look again in some minutes. If it lasts, the other findings say why.'],
  evidence: {},
};
/** Two names for one thing: as a problem, and as a finding. */
const ALSO: Readonly<Record<string, string>> = { permissions_missing: 'missing_permissions' };

/** What the product itself revoked, or nobody consented to, is asked of nobody. */
export function mayAsk(tenant: TenantRow): tenant is TenantRow & { readonly entraTenantId: string } {
  return tenant.entraTenantId !== null && (tenant.phase !== 'revoked' || tenant.problem !== null);
}

function subscriptionsOf({ baseUrl, failures, failingSince }: SubscriptionKeeping): Finding {
  const evidence = { notificationUrl: baseUrl, failures, failingSince };
  if (failingSince !== null) {
    const { title, who, steps } = describeProblem({ code: 'notifications_unavailable', since: failingSince });
    return { code: 'subscriptions', level: 'warning', title, who, steps, evidence };
  }
  const title = baseUrl === null ? 'Changes arrive by the interval alone' : 'Microsoft tells of changes as they happen';
  return { code: 'subscriptions', level: 'ok', title, who: null, steps: [], evidence };
}

function consentOf(tenant: TenantRow): Finding {
  const evidence = { phase: tenant.phase, entraTenantId: tenant.entraTenantId };
  if (tenant.phase === 'revoked') {
    return {
      code: 'revoked',
      level: 'error',
      title: 'The connection was withdrawn',
      who: 'customer administrator',
      steps: ['Open the set-up link and accept again.'],
      evidence,
    };
  }
  if (tenant.candidate !== null) {
    return {
      code: 'approval_needed',
      level: 'error',
      title: 'A consent waits for approval',
      who: 'product operator',
      steps: ['Compare `candidate` with the organization that you expect, then POST /v1/tenants/{id}/approve.'],
      evidence: { ...evidence, candidate: tenant.candidate.entraTenantId },
    };
  }
  if (tenant.phase === 'awaiting_consent' && tenant.linkRevoked) {
    return {
      code: 'setup_link_revoked',
      level: 'error',
      title: 'The set-up link was revoked before consent was given',
      who: 'product operator',
      steps: ['Make a new one: POST /v1/tenants/{id}/setup-link.'],
      evidence,
    };
  }
  if (tenant.phase === 'awaiting_consent') {
    return {
      code: 'awaiting_consent',
      level: 'error',
      title: 'An administrator has not given consent yet',
      who: 'customer administrator',
      steps: ['Send `setupUrl` to a Global Administrator or Privileged Role Administrator of the organization.'],
      evidence,
    };
  }
  return { code: 'consent', level: 'ok', title: 'Consent was given', who: null, steps: [], evidence };
}

function problemOf({ problem, scopeGroups }: TenantRow): Finding | undefined {
  if (problem === null) return undefined;
  const { code, title, who, steps, blocking } = describeProblem(problem, scopeGroups);
  const { since, aadsts, requestId } = problem;
  return {
    code,
    level: blocking ? 'error' : 'warning',
    title,
    who,
    steps,
    evidence: { since, ...(aadsts === undefined ? {} : { aadsts }), ...(requestId === undefined ? {} : { requestId }) },
  };
}

/** The scope in force, and which groups it means. */
function scopeFinding({ groupsToSync, scope, scopeGroups }: TenantRow): Finding | undefined {
  if (isWhole(selectionOf(groupsToSync, scope))) return undefined;
  return {
    code: 'scope',
    level: 'ok',
    title: 'A part of the directory is mirrored',
    who: null,
    steps: [],
    evidence: { scope, groups: scopeGroups },
  };
}

function permissionsOf({ problem }: TenantRow): Finding | undefined {
  const missing = problem?.permissions ?? [];
  if (missing.length === 0) return undefined;
  const needed = missing.some((permission) => REQUIRED_PERMISSIONS.includes(permission));
  return {
    code: 'missing_permissions',
    level: needed ? 'error' : 'warning',
    title: needed ? 'Permissions are missing that nothing works without' : 'Permissions are missing',
    who: 'customer administrator',
    steps: ['Open the set-up link again and accept, or: Enterprise applications > Permissions > Grant admin consent.'],
    evidence: { missing },
  };
}

function freshnessOf(tenant: TenantRow, syncIntervalMs: number, now: number): Finding | undefined {
  if (!mayFetch(tenant.phase)) return undefined;
  const running = tenant.round === null ? null : { kind: tenant.round.kind, startedAt: tenant.round.startedAt };
  if (tenant.asOf === null) {
    return {
      code: 'first_sync',
      level: 'ok',
      title: 'The first sync is not complete yet',
      who: 'nobody: wait',
      steps: [],
      evidence: { running },
    };
  }
  const ageMs = Math.max(0, now - Date.parse(tenant.asOf));
  const late = ageMs > Math.max(LATE_AFTER_INTERVALS * syncIntervalMs, LATE_AT_LEAST_MS) && !tenant.paused;
  const evidence = { asOf: tenant.asOf, ageSeconds: Math.round(ageMs / 1000), running };
  if (!late) return { code: 'freshness', level: 'ok', title: 'The mirror is fresh', who: null, steps: [], evidence };
  return {
    code: 'freshness',
    level: 'warning',
    title: 'No round was completed for long',
    who: 'product operator',
    steps: ['Look at the workflow of this tenant in the Temporal UI, and whether workers are running.'],
    evidence,
  };
}

function skippedOf(parts: readonly SkippedPart[]): Finding | undefined {
  if (parts.length === 0) return undefined;
  return {
    code: 'parts_left_out',
    level: 'warning',
    title: 'Parts of what Microsoft answered could not be read, and were left out',
    who: 'product operator',
    steps: [
      'Everything else is mirrored. If something that you need is among them: report it with the evidence below.',
    ],
    evidence: { parts },
  };
}

function reconcileOf(last: ReconcileStatus | undefined): Finding | undefined {
  if (!last) return undefined;
  const { drift } = last;
  return {
    code: 'reconcile',
    level: drift > 0 ? 'warning' : 'ok',
    title: drift > 0 ? 'Delta query was silent about changes, which a fresh read found' : 'No drift is known',
    who: drift > 0 ? 'nobody: wait' : null,
    steps: drift > 0 ? ['The mirror was corrected, and the differences told as events.'] : [],
    evidence: { ...last },
  };
}
