import { describeProblem } from '../../domain/problem.ts';
import { permissionsOf } from '../../domain/permissions.ts';
import type { TenantRow } from '../../store/face/tenants.ts';

/** One line of "what happens now": it turns from to come over under way to done. */
export interface Check {
  readonly words: string;
  readonly standing: 'done' | 'now' | 'todo' | 'failed';
  /** The standing for those who see no colors. */
  readonly said: string;
  readonly detail?: string | undefined;
  /** Part of the line above. */
  readonly sub?: true;
}

/** The phase that the reader should see: the workflow may not have told of a consent that is committed already. */
export function phaseOf(tenant: TenantRow): TenantRow['phase'] {
  return tenant.phase === 'awaiting_consent' && tenant.entraTenantId !== null ? 'consented' : tenant.phase;
}

/** A consent is here, and the product has to approve it. */
export const isWaiting = (tenant: TenantRow): boolean =>
  tenant.candidate !== null && (tenant.entraTenantId === null || tenant.phase === 'revoked');

/** A problem waits for a person; what was completed since it began goes on all the same. */
export function isHeldUp({ problem, asOf }: TenantRow): boolean {
  if (problem === null || !describeProblem(problem).blocking) return false;
  return asOf === null || asOf <= problem.since;
}

const REACHED = { awaiting_consent: 0, consented: 2, syncing: 3, delta_sync: 4 } as const;

export function checksOf(tenant: TenantRow): readonly Check[] {
  const phase = phaseOf(tenant);
  if (phase === 'revoked' && !isWaiting(tenant)) return [];
  const reached = isWaiting(tenant) ? 1 : REACHED[phase === 'revoked' ? 'awaiting_consent' : phase];
  const held = isHeldUp(tenant);
  const steps = [
    { words: 'Consent at Microsoft', now: 'waited for' },
    { words: 'The right directory', now: 'waits for approval', detail: tenant.entraTenantId ?? undefined },
    { words: 'Permissions', now: 'being checked', detail: permissionsDetail(tenant) },
    { words: 'First reading of people and groups', now: 'under way', detail: readingDetail(tenant) },
    { words: 'Following changes', now: 'under way, for good', detail: followingDetail(tenant) },
  ];
  const lines = steps.map((step, index) => lineOf(step, index, reached, held && index >= 2));
  if (reached < 2) return lines;
  const each = permissionLines(tenant, reached > 2);
  const incomplete = each.some(({ standing }) => standing === 'failed');
  const all: Check | undefined = incomplete ? { words: 'Permissions', standing: 'failed', said: 'not all' } : lines[2];
  return lines.toSpliced(2, 1, ...(all ? [all] : []), ...each);
}

function lineOf(
  step: { readonly words: string; readonly now: string; readonly detail?: string | undefined },
  index: number,
  reached: number,
  held: boolean,
): Check {
  const { words, detail } = step;
  if (index < reached) return { words, standing: 'done', said: 'done', detail };
  if (index > reached) return { words, standing: 'todo', said: 'to come' };
  if (held) return { words, standing: 'failed', said: 'held up', detail };
  return { words, standing: index === 4 ? 'done' : 'now', said: step.now, detail };
}

/** Each permission by itself, as the last check saw it. */
function permissionLines({ profiles, grantCheck, problem }: TenantRow, passed: boolean): readonly Check[] {
  const missing = new Set([...(grantCheck?.missing ?? []), ...(problem?.permissions ?? [])]);
  const looked = passed || grantCheck !== null;
  const standingOf = (name: string): Pick<Check, 'standing' | 'said'> => {
    if (!missing.has(name))
      return looked ? { standing: 'done', said: 'granted' } : { standing: 'todo', said: 'to come' };
    return passed ? { standing: 'failed', said: 'missing' } : { standing: 'now', said: 'not there yet' };
  };
  return permissionsOf(profiles).map((words): Check => Object.assign({ words, sub: true as const }, standingOf(words)));
}

function permissionsDetail({ grantCheck, phase }: TenantRow): string | undefined {
  if (phase !== 'consented' || grantCheck === null) return undefined;
  const at = `Looked at last ${timeOf(grantCheck.at)}`;
  return grantCheck.missing.length === 0 && !grantCheck.works ? `${at}: Microsoft does not accept them yet.` : `${at}.`;
}

function readingDetail({ round, asOf, counts }: TenantRow): string | undefined {
  if (asOf !== null) return `${counts.users} people, ${counts.groups} groups, ${counts.memberships} memberships`;
  return round === null ? undefined : `${round.changes} read so far, on ${round.pages} pages`;
}

const followingDetail = ({ asOf }: TenantRow): string | undefined =>
  asOf === null ? undefined : `As of ${timeOf(asOf)}`;

const timeOf = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
