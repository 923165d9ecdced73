import {
  aadstsEntry,
  describeAadsts,
  describeGraphCode,
  graphEntry,
  type DescribedCode,
} from './catalogue/catalogue.ts';
import { REMEDIES, type Owner } from './catalogue/remedies.ts';

/**
 * What stands between a tenant and a fresh mirror, in words for the person who can remove it.
 * Workflow, database and search attributes carry the code; title, owner and steps are looked up here,
 * so that one sentence serves API, pages and Temporal UI, and a better sentence needs no migration.
 */

import type { ScopeGroup } from './scope.ts';

export const PROBLEM_CODES = [
  'consent_missing',
  'consent_not_effective',
  'permissions_missing',
  'application_disabled',
  'credentials_rejected',
  'directory_not_found',
  'token_refused',
  'blocked_by_policy',
  'graph_refused',
  'microsoft_unavailable',
  'feed_faulty',
  'throttled',
  'held',
  'groups_unresolved',
  'notifications_unavailable',
  'internal',
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** What is stored and carried: no text, no names, nothing of a person. Times are ISO 8601 in UTC. */
export interface ProblemRecord {
  readonly code: ProblemCode;
  readonly since: string;
  /** Microsoft's number, e.g. 700016, where its token endpoint gave one. */
  readonly aadsts?: number;
  /** Graph's own code, e.g. `Authorization_RequestDenied`, where it refused. */
  readonly graphCode?: string;
  /** Microsoft's request id or trace id: what its support asks for. */
  readonly requestId?: string;
  /** Permission names such as `Group.Read.All`. */
  readonly permissions?: readonly string[];
}

/** The contract's `problem`. */
export interface Problem {
  readonly code: ProblemCode;
  readonly title: string;
  readonly who: Owner;
  readonly steps: readonly string[];
  readonly since: string;
  readonly requestId?: string;
  readonly blocking: boolean;
}

interface Entry {
  readonly title: string;
  readonly who: Owner;
  readonly blocking: boolean;
  readonly steps: readonly string[];
}

// Portal names are those of Microsoft's own pages: Entra admin center > Enterprise applications > (the application).
const CATALOGUE: Readonly<Record<ProblemCode, Entry>> = {
  consent_missing: {
    title: 'Microsoft says that the application is not consented in this directory',
    who: 'customer administrator',
    blocking: true,
    steps: REMEDIES.consentAgain,
  },
  consent_not_effective: {
    title: 'Consent was given, but Microsoft does not yet honour it',
    who: 'nobody: wait',
    blocking: true,
    steps: [
      'New permissions can take some minutes to reach all of Microsoft; this is tried again by itself.',
      'If it lasts for more than an hour: Enterprise applications > Permissions > Grant admin consent.',
    ],
  },
  permissions_missing: {
    title: 'Not all of the permissions that were asked for are granted',
    who: 'customer administrator',
    blocking: true,
    steps: REMEDIES.grantPermissions,
  },
  application_disabled: {
    title: 'The application is switched off in this directory',
    who: 'customer administrator',
    blocking: true,
    steps: REMEDIES.switchOn,
  },
  credentials_rejected: {
    title: "Microsoft rejects this product's own credential",
    who: 'product operator',
    blocking: true,
    steps: [
      'Check ENTRA_CLIENT_ID and the client secret or certificate: expired, or the secret id in place of its value.',
      'Every tenant is affected at once; the mirror stays as it is and goes on when the credential works.',
    ],
  },
  directory_not_found: {
    title: 'Microsoft does not know this directory',
    who: 'product operator',
    blocking: true,
    steps: REMEDIES.checkDirectory,
  },
  token_refused: {
    title: 'Microsoft refuses a token for this directory',
    who: 'product operator',
    blocking: true,
    steps: REMEDIES.unknown,
  },
  blocked_by_policy: {
    title: 'A Conditional Access policy of the customer blocks the application',
    who: 'customer administrator',
    blocking: true,
    steps: REMEDIES.changePolicy,
  },
  graph_refused: {
    title: 'Microsoft Graph refuses a request although the token is valid',
    who: 'customer administrator',
    blocking: true,
    steps: ['Enterprise applications > Permissions: check that every permission listed on the set-up page is granted.'],
  },
  microsoft_unavailable: {
    title: 'Microsoft cannot be reached, or answers with errors',
    who: 'nobody: wait',
    blocking: false,
    steps: [
      'It is tried again by itself. If it lasts: check that the hosts in docs/operations.md may be reached on port 443.',
    ],
  },
  feed_faulty: {
    title: "Microsoft's list of changes leads in a circle, or on and on without an end",
    who: 'product operator',
    blocking: true,
    steps: [
      'The mirror stays as it is; a full read is tried again with growing waits.',
      'If it lasts for more than a day: open a case with Microsoft about users/delta and groups/delta of this directory.',
    ],
  },
  throttled: {
    title: 'Microsoft asks us to slow down',
    who: 'nobody: wait',
    blocking: false,
    steps: REMEDIES.slower,
  },
  held: {
    title: 'So much would be removed at once that a person must look at it first',
    who: 'product operator',
    blocking: true,
    steps: [
      'GET /v1/tenants/{id}/held shows how much, and with ?kind=users who; everything else is kept fresh meanwhile.',
      'Is it meant? POST /v1/tenants/{id}/held/approve applies it, as it stands then.',
      'Is it not? POST /v1/tenants/{id}/held/reject drops it and reads everything again, which may hold again.',
    ],
  },
  groups_unresolved: {
    title: 'Some of the groups to sync fit no group of the directory, or several',
    who: 'product operator',
    blocking: true,
    steps: [
      "PATCH /v1/tenants/{id} with `groupsToSync`: a group's id in place of its name is never ambiguous.",
      'All other groups are synced; these are looked for again in each round.',
    ],
  },
  notifications_unavailable: {
    title: 'Microsoft cannot tell us of changes as they happen',
    who: 'product operator',
    blocking: false,
    steps: [
      'Changes still arrive by the interval; nothing is lost.',
      'Check that NOTIFICATION_URL is reached from the internet by https, with a certificate that Microsoft trusts.',
    ],
  },
  internal: {
    title: 'Something failed on our side',
    who: 'product operator',
    blocking: true,
    steps: ['Read the worker log at the time above; it is tried again every few minutes.'],
  },
};

export function isBlocking(code: ProblemCode): boolean {
  return CATALOGUE[code].blocking;
}

/**
 * The whole problem in words: in those of Microsoft's code where it says more than ours, and with what the database knows of
 * the groups to sync.
 */
export function describeProblem(record: ProblemRecord, groups: readonly ScopeGroup[] = []): Problem {
  const entry = CATALOGUE[record.code];
  const { title, who, steps } = codeOf(record) ?? entry;
  const granted = record.permissions?.length ? [`Missing: ${record.permissions.join(', ')}.`] : [];
  const unresolved = record.code === 'groups_unresolved' ? groups.flatMap(describeGroup) : [];
  const raw = record.aadsts === undefined ? record.graphCode : `AADSTS${record.aadsts}`;
  return {
    code: record.code,
    title: raw === undefined || title.includes(raw) ? title : `${title} (${raw})`,
    who,
    steps: [...granted, ...unresolved, ...steps],
    since: record.since,
    ...(record.requestId === undefined ? {} : { requestId: record.requestId }),
    blocking: entry.blocking,
  };
}

/** A code speaks for a problem that it leads to; during a consent's first minutes, say, the same code means less. */
function codeOf({ code, aadsts, graphCode }: ProblemRecord): DescribedCode | undefined {
  // Whatever leads to no problem of its own, and whatever nobody here knows, is a refusal like any other.
  const speaks = (problem: ProblemCode | undefined, other: ProblemCode) => (problem ?? other) === code;
  if (aadsts !== undefined) {
    return speaks(aadstsEntry(aadsts)?.problem, 'token_refused') ? describeAadsts(aadsts) : undefined;
  }
  if (graphCode === undefined) return undefined;
  return speaks(graphEntry(graphCode)?.problem, 'graph_refused') ? describeGraphCode(graphCode) : undefined;
}

function describeGroup({ entry, groupId, candidates }: ScopeGroup): readonly string[] {
  if (groupId !== null) return [];
  if (candidates.length === 0) return [`“${entry}” fits no group.`];
  const names = candidates.map(
    ({ id, displayName, mail }) => `${id} (${[displayName, mail].filter(Boolean).join(', ')})`,
  );
  return [`“${entry}” fits ${candidates.length} groups: ${names.join('; ')}.`];
}
