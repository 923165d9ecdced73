import { describeAadsts, describeGraphCode } from './catalogue/catalogue.ts';
import type { Owner } from './catalogue/remedies.ts';
import { missingOf, neededOf } from './permissions.ts';
import { describeProblem, type ProblemRecord } from './problem.ts';
import type { ThrottleScope } from './throttle.ts';

/** What a diagnosis says: what, how it is known, who must act, and how. */
export interface Finding {
  readonly code: string;
  readonly level: 'error' | 'warning' | 'ok';
  readonly title: string;
  /** Null where nobody has to act. */
  readonly who: Owner | null;
  readonly steps: readonly string[];
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly link?: string;
}

/** How far one host of Microsoft's is reached from here, and what stands in between. */
export interface HostFacts {
  readonly host: string;
  /** Host and port of the proxy that leads there; null: straight. */
  readonly proxy: string | null;
  /** The step that failed. */
  readonly failed?: 'dns' | 'tcp' | 'proxy' | 'tls' | 'http';
  /** In the system's own words, such as `ENOTFOUND`. */
  readonly error?: string;
  /** Who issued the host's certificate: the name of an intercepting firewall, where there is one. */
  readonly issuer?: string;
  /** One of Microsoft's own hosts whose certificate none of Microsoft's authorities has issued. */
  readonly intercepted?: boolean;
  /** How far the host's clock is ahead of ours. */
  readonly skewMs?: number;
}

/** One of the application's own credentials, as far as it can be judged without Microsoft. Times are ms since 1970. */
export interface CredentialFacts {
  readonly kind: 'secret' | 'certificate' | 'federated';
  /** The environment's variable. */
  readonly variable: string;
  readonly expiresAt?: number;
  /** Why it cannot be used, in words of ours. */
  readonly unusable?: string;
  /** It looks like the id of a secret in place of its value. */
  readonly looksLikeId?: true;
}

/** What one endpoint of Graph answered. */
export interface ProbeFacts {
  readonly endpoint: string;
  readonly kind: string;
  readonly code?: string;
  readonly requestId?: string;
}

/** What Microsoft says of a tenant now. */
export interface TenantFacts {
  readonly clientId: string;
  /** Origin of the portal of its cloud. */
  readonly portal: string;
  /** The token's refusal; what follows is unknown then. */
  readonly refused?: Omit<ProblemRecord, 'since'>;
  /** Another credential than the first was accepted. */
  readonly secondCredential?: boolean;
  readonly principal?: {
    readonly id: string;
    readonly enabled: boolean;
    readonly assignmentRequired: boolean;
    /** Names and kinds of those assigned, not more than some. */
    readonly assigned: readonly string[];
  };
  /** Application permissions by name; undefined where neither directory nor token tells. */
  readonly granted?: readonly string[] | undefined;
  readonly probes: readonly ProbeFacts[];
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** What assertions and tokens are checked with. */
const SKEW_ERROR_MS = 5 * MINUTE_MS;
const SKEW_WARNING_MS = MINUTE_MS;
/** So long before its end a credential is to be renewed. */
export const EXPIRY_ALARM_DAYS = 30;

const OPERATOR = 'product operator';
const CUSTOMER = 'customer administrator';

const EGRESS: Readonly<Record<NonNullable<HostFacts['failed']>, { readonly title: string; readonly step: string }>> = {
  dns: {
    title: 'has no address here',
    step: 'Let this machine resolve the name: check its DNS server, or set HTTPS_PROXY.',
  },
  tcp: {
    title: 'cannot be reached',
    step: 'Let TCP port 443 through to the host, by name: its addresses change. Or set HTTPS_PROXY.',
  },
  proxy: {
    title: 'is refused by the proxy',
    step: 'Let the proxy of HTTPS_PROXY pass CONNECT to the host on port 443, or name the host in NO_PROXY.',
  },
  tls: {
    title: 'shows a certificate that is not trusted',
    step: 'A firewall that opens TLS is named by the issuer: have it leave this host alone, or put its authority into NODE_EXTRA_CA_CERTS.',
  },
  http: {
    title: 'gives no answer',
    step: 'Something between here and the host swallows the request: ask whoever runs the network.',
  },
};

/** From the network to the clock, host by host. */
export function egressFindings(hosts: readonly HostFacts[]): Finding[] {
  return [...hosts.map(reachOf), ...clockOf(hosts)];
}

function reachOf(facts: HostFacts): Finding {
  const { host, failed, intercepted, issuer, skewMs: _, ...rest } = facts;
  const evidence = { host, ...rest, ...(issuer === undefined ? {} : { issuer }) };
  const network = {
    who: OPERATOR,
    link: 'https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges',
  } as const;
  if (failed !== undefined) {
    const { title, step } = EGRESS[failed];
    const by = failed === 'tls' && issuer !== undefined ? ` (issued by ${issuer})` : '';
    return {
      code: `egress_${failed}`,
      level: 'error',
      title: `${host} ${title}${by}`,
      steps: [step],
      evidence,
      ...network,
    };
  }
  if (intercepted === true) {
    const title = `TLS to ${host} is opened on the way by ${issuer ?? 'somebody'}`;
    return { code: 'egress_intercepted', level: 'warning', title, steps: [EGRESS.tls.step], evidence, ...network };
  }
  return { code: 'egress', level: 'ok', title: `${host} is reached`, who: null, steps: [], evidence };
}

function clockOf(hosts: readonly HostFacts[]): Finding[] {
  const skews = hosts.flatMap(({ skewMs }) => (skewMs === undefined ? [] : [skewMs]));
  if (skews.length === 0) return [];
  const [skew = 0] = skews.sort((a, b) => Math.abs(b) - Math.abs(a));
  const seconds = Math.round(Math.abs(skew) / 1000);
  const evidence = { skewSeconds: Math.round(skew / 1000) };
  if (seconds * 1000 < SKEW_WARNING_MS) {
    return [{ code: 'clock', level: 'ok', title: 'The clock is right', who: null, steps: [], evidence }];
  }
  return [
    {
      code: 'clock',
      level: seconds * 1000 >= SKEW_ERROR_MS ? 'error' : 'warning',
      title: `The clock of this machine is ${seconds} seconds ${skew > 0 ? 'behind' : 'ahead of'} Microsoft's`,
      who: OPERATOR,
      steps: ['Have the clock of this machine set by a time server (NTP): assertions and tokens are good for minutes.'],
      evidence,
    },
  ];
}

/** The application's own credentials: usable, and for how long still. */
export function credentialFindings(credentials: readonly CredentialFacts[], now: number): Finding[] {
  return credentials.map((credential) => credentialOf(credential, now));
}

function credentialOf(facts: CredentialFacts, now: number): Finding {
  const { kind, variable, expiresAt, unusable, looksLikeId } = facts;
  const daysLeft = expiresAt === undefined ? undefined : Math.floor((expiresAt - now) / DAY_MS);
  const ends = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString(), daysLeft };
  const finding = { who: OPERATOR, evidence: { kind, variable, ...ends } } as const;
  if (unusable !== undefined) {
    return {
      ...finding,
      code: 'credential_unusable',
      level: 'error',
      title: unusable,
      steps: [`Mend what ${variable} names.`],
    };
  }
  if (daysLeft !== undefined && daysLeft < 0) {
    const title = `The ${kind} of ${variable} has expired`;
    return { ...finding, code: 'credential_expired', level: 'error', title, steps: [RENEW] };
  }
  // A platform's token is renewed every few hours by the platform.
  if (daysLeft !== undefined && daysLeft < EXPIRY_ALARM_DAYS && kind !== 'federated') {
    const title = `The ${kind} of ${variable} ends in ${daysLeft} days`;
    return { ...finding, code: 'credential_expires', level: 'warning', title, steps: [RENEW] };
  }
  if (looksLikeId === true) {
    const title = `${variable} looks like the id of a secret, not its value`;
    return { ...finding, code: 'credential_is_id', level: 'warning', title, steps: describeAadsts(7_000_215).steps };
  }
  const title = expiresAt === undefined ? `When the ${kind} ends, only Microsoft knows` : `The ${kind} is good`;
  return { ...finding, code: 'credential', level: 'ok', title, who: null, steps: [] };
}

const RENEW =
  'Make a new one under App registrations > (this application) > Certificates & secrets, put it beside the old one in the variable with _NEXT, restart, and swap them when it is accepted.';

/** That all who ask Microsoft for a tenant wait, and until when. */
export function throttleFinding({
  limitOf,
  until,
}: {
  readonly limitOf: ThrottleScope;
  readonly until: Date;
}): Finding {
  const { code, title, who, steps } = describeProblem({ code: 'throttled', since: '' });
  const at = until.toISOString();
  return {
    code,
    level: 'warning',
    title: `${title}: nothing is asked before ${at}`,
    who,
    steps,
    evidence: { until: at, limitOf },
  };
}

/** What Microsoft says, from the token over the enterprise application and its permissions to each endpoint. */
export function tenantFindings(facts: TenantFacts, wanted: readonly string[]): Finding[] {
  if (facts.refused) return [refusalOf(facts.refused)];
  return [...secondOf(facts), ...applicationOf(facts), ...grantedOf(facts, wanted), ...facts.probes.map(probeOf)];
}

function refusalOf(refused: Omit<ProblemRecord, 'since'>): Finding {
  const { code, title, who, steps, blocking } = describeProblem({ ...refused, since: '' });
  const { aadsts, requestId } = refused;
  return {
    code,
    level: blocking ? 'error' : 'warning',
    title,
    who,
    steps,
    evidence: { ...(aadsts === undefined ? {} : { aadsts }), ...(requestId === undefined ? {} : { requestId }) },
    ...(aadsts === undefined ? {} : { link: describeAadsts(aadsts).link }),
  };
}

function secondOf({ secondCredential }: TenantFacts): Finding[] {
  if (secondCredential !== true) return [];
  return [
    {
      code: 'second_credential',
      level: 'warning',
      title: 'Microsoft refuses the first credential; the second one is used',
      who: OPERATOR,
      steps: ['Put the second credential in the place of the first, and restart.'],
      evidence: {},
    },
  ];
}

/** The blade of the enterprise application in the portal of its cloud. */
const bladeOf = (portal: string, blade: string, id: string, clientId: string) =>
  `${portal}/#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/${blade}/objectId/${id}/appId/${clientId}`;

function applicationOf({ principal, clientId, portal }: TenantFacts): Finding[] {
  if (principal === undefined) {
    const title =
      'The enterprise application cannot be read without Application.Read.All: the token and the probes tell what is granted';
    return [
      {
        code: 'enterprise_application',
        level: 'ok',
        title,
        who: null,
        steps: [],
        evidence: { applicationId: clientId },
      },
    ];
  }
  const { id, enabled, assignmentRequired, assigned } = principal;
  const evidence = { applicationId: clientId, objectId: id, enabled, assignmentRequired, assigned };
  const link = bladeOf(portal, 'Properties', id, clientId);
  const common = { who: CUSTOMER, evidence, link } as const;
  if (!enabled) {
    const { steps } = describeAadsts(7_000_112);
    const title = '"Enabled for users to sign-in?" is No: the application is switched off in this directory';
    return [{ ...common, code: 'application_disabled', level: 'error', title, steps }];
  }
  if (assignmentRequired) {
    const { steps } = describeAadsts(50_105);
    // Without the names, which the evidence has: titles are shown on pages as well.
    const title = `"Assignment required?" is Yes: only who is assigned can sign in${assigned.length === 0 ? ' (nobody is)' : ''}`;
    return [
      {
        ...common,
        code: 'assignment_required',
        level: 'warning',
        title,
        steps,
        link: bladeOf(portal, 'Users', id, clientId),
      },
    ];
  }
  const title = 'The enterprise application is on, and open to all';
  return [{ ...common, code: 'enterprise_application', level: 'ok', title, who: null, steps: [] }];
}

function grantedOf({ granted, principal, clientId, portal }: TenantFacts, wanted: readonly string[]): Finding[] {
  if (granted === undefined) return [];
  const missing = missingOf(granted, wanted);
  const link = principal === undefined ? {} : { link: bladeOf(portal, 'Permissions', principal.id, clientId) };
  const evidence = { granted, missing };
  if (missing.length === 0) {
    return [
      {
        code: 'permissions',
        level: 'ok',
        title: 'All permissions are granted',
        who: null,
        steps: [],
        evidence,
        ...link,
      },
    ];
  }
  const { steps } = describeProblem({ code: 'permissions_missing', since: '' });
  const missingOne = (permission: string): Finding => ({
    code: 'missing_permissions',
    level: neededOf([permission]).length > 0 ? 'error' : 'warning',
    title: `The permission ${permission} is missing`,
    who: CUSTOMER,
    steps,
    evidence: { ...evidence, permission },
    ...link,
  });
  return missing.map(missingOne);
}

function probeOf({ endpoint, kind, code, requestId }: ProbeFacts): Finding {
  const evidence = {
    endpoint,
    ...(code === undefined ? {} : { code }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  if (kind === 'ok')
    return { code: 'endpoint', level: 'ok', title: `${endpoint} answers`, who: null, steps: [], evidence };
  const passes = kind === 'throttled' || kind === 'unavailable';
  const described = code === undefined ? undefined : describeGraphCode(code, kind === 'forbidden' ? 403 : undefined);
  const problem = kind === 'throttled' ? kind : passes ? 'microsoft_unavailable' : 'graph_refused';
  const { title, who, steps } = described ?? describeProblem({ code: problem, since: '' });
  return {
    code: 'endpoint',
    level: passes ? 'warning' : 'error',
    title: `${endpoint}: ${title}`,
    who,
    steps,
    evidence,
    ...(described ? { link: described.link } : {}),
  };
}

const GRAVITY = { error: 0, warning: 1, ok: 2 };

/** The gravest first; of equals the one that stands nearer to the cause, in the order in which they were given. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => GRAVITY[a.level] - GRAVITY[b.level]);
}
