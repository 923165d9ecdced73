import { REQUIRED_PERMISSIONS } from '../domain/names.ts';
import { describeProblem } from '../domain/problem.ts';
import { mayFetch } from '../domain/tenant.ts';
import type { ReconcileStatus, SkippedPart, TenantRow } from '../store/store.ts';
import type { Finding } from './schemas/diagnostics.ts';

/** So many intervals without a completed round are no longer chance. */
const LATE_AFTER_INTERVALS = 3;
const LATE_AT_LEAST_MS = 5 * 60_000;

/** What the database knows of a tenant, the gravest first. Nothing is asked of Microsoft. */
export function findingsOf(
  tenant: TenantRow,
  { skipped, reconcile }: { readonly skipped: readonly SkippedPart[]; readonly reconcile: ReconcileStatus | undefined },
  syncIntervalMs: number,
  now: number,
): Finding[] {
  const gravity = { error: 0, warning: 1, ok: 2 };
  return [
    consentOf(tenant),
    problemOf(tenant),
    permissionsOf(tenant),
    freshnessOf(tenant, syncIntervalMs, now),
    skippedOf(skipped),
    reconcileOf(reconcile),
  ]
    .filter((finding) => finding !== undefined)
    .sort((a, b) => gravity[a.level] - gravity[b.level]);
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

function problemOf({ problem }: TenantRow): Finding | undefined {
  if (problem === null) return undefined;
  const { code, title, who, steps, blocking } = describeProblem(problem);
  const { since, aadsts, requestId } = problem;
  return {
    code,
    level: blocking ? 'error' : 'warning',
    title,
    who,
    steps: [...steps],
    evidence: { since, ...(aadsts === undefined ? {} : { aadsts }), ...(requestId === undefined ? {} : { requestId }) },
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
