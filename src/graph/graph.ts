import type { Feed } from '../domain/directory.ts';
import type { Cloud } from './cloud.ts';
import type { Credential } from './credential.ts';
import type { FeedPageOutcome, FeedPageRequest } from './delta-feed.ts';
import type { Organization } from './organization.ts';
import type { BegunProof, ProofOutcome, ProofRequest, ProofReturn } from './sign-in.ts';
import type { ConsentRequest, ResolvedDirectory } from './admin-consent.ts';
import type { TokenOutcome } from './token-source.ts';
import type { GrantOutcome } from './verify.ts';

export interface GraphConfig {
  readonly clientId: string;
  readonly credential: Credential;
  readonly cloud: Cloud;
  /** An https origin such as `https://localhost:9443`, in place of the cloud's own login host. */
  readonly authorityHost?: string;
  /** An https origin in place of the cloud's own Graph; the token's scope stays the cloud's. */
  readonly graphBaseUrl?: string;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof fetch;
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
  /** What is granted to the token's application, proven by one probe per endpoint. */
  verifyGrant(request: { readonly accessToken: string; readonly signal?: AbortSignal }): Promise<GrantOutcome>;
  /** The directory's name and domains, for a person who asks "is this right?"; null where they cannot be read now. */
  organization(entraTenant: string, signal?: AbortSignal): Promise<Organization | null>;
  /** Where an administrator consents. Needs no network. */
  adminConsentUrl(request: ConsentRequest): string;
  /** The id of the directory that a domain or id names, from its public openid-configuration. */
  resolveDirectory(domainOrId: string, signal?: AbortSignal): Promise<ResolvedDirectory>;
  /** Where the administrator proves who they are. Needs no network; keep verifier and nonce sealed until the return. */
  beginProof(request: ProofRequest): Promise<BegunProof>;
  /** Redeems the code and checks the id_token in full: signature, issuer of exactly that directory, audience, nonce, times, tid. */
  finishProof(back: ProofReturn): Promise<ProofOutcome>;
}
