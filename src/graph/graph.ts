import type { CredentialFacts, HostFacts, TenantFacts } from '../domain/doctor.ts';
import type { Feed } from '../domain/directory.ts';
import { adminConsentUrl, resolveDirectory, type ConsentRequest, type ResolvedDirectory } from './admin-consent.ts';
import { readAssignment, type Assignment, type AssignmentRequest } from './assignment.ts';
import { createGraphClient } from './client.ts';
import { countObjects, type CountRequest } from './count.ts';
import { endpointsOf, isMicrosoftOwn, type Cloud } from './cloud.ts';
import { lookAtCredential, type Credential } from './credential.ts';
import { fetchFeedPage, QUERY_HASH, type FeedPageOutcome, type FeedPageRequest } from './delta-feed.ts';
import { lookAtHost } from './egress.ts';
import { inspectTenant } from './inspect.ts';
import { outboundFetch } from './outbound.ts';
import { readPresence, type PresenceOutcome, type PresenceRequest } from './presence.ts';
import type { ListRequest } from './list.ts';
import { listMemberships, type MembershipsOutcome, type MembershipsRequest } from './memberships.ts';
import {
  findGroups,
  listAssigned,
  listDeleted,
  type AssignedOutcome,
  type DeletedOutcome,
  type DeletedRequest,
  type FindGroupsOutcome,
  type FindGroupsRequest,
} from './scope-reads.ts';
import { readOrganization, type Organization } from './organization.ts';
import {
  beginProof,
  endSessionUrl,
  finishProof,
  type BegunProof,
  type ProofOutcome,
  type ProofRequest,
  type ProofReturn,
  type SessionEnd,
} from './sign-in.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';
import { acquireToken, type TokenOutcome } from './token-source.ts';
import { verifyGrant, type GrantOutcome } from './verify.ts';

export interface GraphConfig {
  readonly clientId: string;
  readonly credential: Credential;
  /** While the first is being replaced. */
  readonly nextCredential?: Credential | undefined;
  readonly cloud: Cloud;
  /** An https origin such as `https://localhost:9443`, in place of the cloud's own login host. */
  readonly authorityHost?: string;
  /** An https origin in place of the cloud's own Graph; the token's scope stays the cloud's. */
  readonly graphBaseUrl?: string;
  /** The environment that names proxies; the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** In place of the way out that the environment names. */
  readonly fetch?: typeof fetch;
  /** Trusted beside the system's authorities by the look at the hosts; requests trust what `fetch` trusts. */
  readonly ca?: string;
}

/**
 * The Microsoft room's face. What Microsoft may answer is a value; a throw is an abort by the given signal, or a bug.
 * No value of it but `TokenOutcome` holds a secret, and none holds text of Microsoft's that was written for people.
 */
export interface Graph {
  /** A new application token for one directory, past every cache. */
  tokenFor(entraTenant: string, signal?: AbortSignal): Promise<TokenOutcome>;
  /** Of what is asked of each feed: links of another hash must not be followed. */
  readonly queryHash: Readonly<Record<Feed, string>>;
  /** One page of a feed: the initial query where `link` is undefined. */
  feedPage(request: FeedPageRequest): Promise<FeedPageOutcome>;
  /** How many users or groups Graph counts. */
  count(request: CountRequest): ReturnType<typeof countObjects>;
  /** Whether something of which a feed says that it is over is still there. */
  presence(request: PresenceRequest): Promise<PresenceOutcome>;
  /** Groups of a name, some of them. */
  findGroups(request: FindGroupsRequest): Promise<FindGroupsOutcome>;
  /** Who is assigned to the application in the token's directory. */
  assigned(request: ListRequest): Promise<AssignedOutcome>;
  /** Who is soft-deleted in the token's directory. */
  deleted(request: DeletedRequest): Promise<DeletedOutcome>;
  /** The direct memberships around one object, as Graph's reads show them, which may be older than its feeds. */
  memberships(request: MembershipsRequest): Promise<MembershipsOutcome>;
  /** Change notifications of a directory: that something changed, never what. */
  readonly subscriptions: Subscriptions;
  /** What is granted to the token's application, proven by one probe per endpoint. */
  verifyGrant(request: {
    readonly accessToken: string;
    /** Application permissions by name, such as `User.Read.All`. */
    readonly wanted: readonly string[];
    readonly signal?: AbortSignal;
  }): Promise<GrantOutcome>;
  /** The directory's name and domains, for a person who asks "is this right?"; null where they cannot be read now. */
  organization(entraTenant: string, signal?: AbortSignal): Promise<Organization | null>;
  /** The way to each host, step by step; nothing is sent but a request for its front page. */
  lookAtHosts(): Promise<readonly HostFacts[]>;
  /** Our own credentials, without asking Microsoft. */
  lookAtCredentials(): Promise<readonly CredentialFacts[]>;
  /** What Microsoft says of our application in a directory, by a new token. */
  inspect(entraTenant: string, signal?: AbortSignal): Promise<TenantFacts>;
  /** Where an administrator consents. Needs no network. */
  adminConsentUrl(request: ConsentRequest): string;
  /** The id of the directory that a domain or id names, from its public openid-configuration. */
  resolveDirectory(domainOrId: string, signal?: AbortSignal): Promise<ResolvedDirectory>;
  /** Where the administrator proves who they are. Needs no network; keep verifier and nonce sealed until the return. */
  beginProof(request: ProofRequest): Promise<BegunProof>;
  /** Redeems the code and checks the id_token in full: signature, issuer of exactly that directory, audience, nonce, times, tid. */
  finishProof(back: ProofReturn): Promise<ProofOutcome>;
  /** Where a browser ends its session at Microsoft. Needs no network. */
  endSessionUrl(end: SessionEnd): string;
  /** Whether somebody is assigned to our enterprise application in the directory. */
  assignment(request: AssignmentRequest): Promise<Assignment>;
}

/** Opens nothing: the first request is made when something is asked. Throws where the configuration cannot be right. */
export function createGraph(config: GraphConfig): Graph {
  const endpoints = endpointsOf(config);
  const env = config.env ?? process.env;
  const fetch = config.fetch ?? outboundFetch(env, config.ca);
  const { clientId, credential, nextCredential } = config;
  const login = { clientId, credential, nextCredential, endpoints, fetch };
  const client = createGraphClient({ origin: endpoints.graphOrigin, fetch });

  return {
    queryHash: QUERY_HASH,
    subscriptions: createSubscriptions(client),
    tokenFor: (entraTenant, signal) => acquireToken(login, entraTenant, signal),
    feedPage: (request) => fetchFeedPage(client, endpoints.graphOrigin, request),
    count: (request) => countObjects(client, request),
    presence: (request) => readPresence(client, request),
    findGroups: (request) => findGroups(client, request),
    deleted: (request) => listDeleted(client, endpoints.graphOrigin, request),
    assigned: (request) => listAssigned(client, endpoints.graphOrigin, clientId, request),
    memberships: (request) => listMemberships(client, endpoints.graphOrigin, request),
    verifyGrant: ({ accessToken, wanted, signal }) => verifyGrant(client, clientId, accessToken, wanted, signal),
    async organization(entraTenant, signal) {
      const token = await acquireToken(login, entraTenant, signal);
      return token.kind === 'token' ? readOrganization(client, token.accessToken, signal) : null;
    },
    lookAtHosts: () =>
      Promise.all(
        [...new Set([endpoints.authorityHost, endpoints.graphOrigin])].map((origin) =>
          lookAtHost(origin, {
            fetch,
            env,
            microsoftOwn: isMicrosoftOwn(origin),
            ...(config.ca ? { ca: config.ca } : {}),
          }),
        ),
      ),
    lookAtCredentials: () =>
      Promise.all([
        lookAtCredential(credential, false),
        ...(nextCredential === undefined ? [] : [lookAtCredential(nextCredential, true)]),
      ]),
    async inspect(entraTenant, signal) {
      const application = { clientId, portal: endpoints.portal };
      return inspectTenant(client, application, await acquireToken(login, entraTenant, signal), signal);
    },
    adminConsentUrl: (request) => adminConsentUrl(endpoints, clientId, request),
    resolveDirectory: (domainOrId, signal) => resolveDirectory(login, domainOrId, signal),
    beginProof: (request) => beginProof(login, request),
    finishProof: (back) => finishProof(login, back),
    endSessionUrl: (end) => endSessionUrl(login, end),
    async assignment(request) {
      const token = await acquireToken(login, request.entraTenant, request.signal);
      if (token.kind !== 'token') return 'unknown';
      return readAssignment(client, { origin: endpoints.graphOrigin, clientId }, token.accessToken, request);
    },
  };
}
