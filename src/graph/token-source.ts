import { ConfidentialClientApplication, type Configuration, type INetworkModule } from '@azure/msal-node';
import {
  CredentialError,
  loadCredential,
  withCredentials,
  type Credential,
  type LoadedCredential,
} from './credential.ts';
import type { Endpoints } from './cloud.ts';
import { eitherOf } from './either-of.ts';
import { isObject, parseJson, textOf } from './json.ts';
import { classifyTokenWire, type TokenRefusal, type TokenWire } from './token-failures.ts';

export interface AppToken {
  readonly kind: 'token';
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** As a hint (1.4): undefined where the token cannot be read, which a client has no right to. */
  readonly roles: readonly string[] | undefined;
  /** Microsoft refused the first credential, and took the second. */
  readonly secondCredential?: true;
}

export type TokenOutcome = AppToken | TokenRefusal;

const REQUEST_TIMEOUT_MS = 20_000;

export interface TokenSourceConfig {
  readonly clientId: string;
  readonly credential: Credential;
  /** Tried where Microsoft refuses the first. */
  readonly nextCredential?: Credential | undefined;
  readonly endpoints: Endpoints;
  readonly fetch: typeof fetch;
}

/**
 * One application token for one directory, from Microsoft itself. Each call has an instance of MSAL of its own: a shared
 * one would answer from a cache that grows over tenants, and after a 429 or 5xx refuse without asking (10.2).
 */
export async function acquireToken(
  config: TokenSourceConfig,
  entraTenant: string,
  signal?: AbortSignal,
): Promise<TokenOutcome> {
  const { outcome, second } = await withCredentials<TokenOutcome>(
    config,
    (credential) => acquireWith({ ...config, credential }, entraTenant, signal),
    (outcome) => outcome.kind === 'refused' && outcome.failure === 'CredentialsRejected',
  );
  return second && outcome.kind === 'token' ? { ...outcome, secondCredential: true } : outcome;
}

async function acquireWith(
  config: TokenSourceConfig,
  entraTenant: string,
  signal: AbortSignal | undefined,
): Promise<TokenOutcome> {
  signal?.throwIfAborted();
  const network = new RecordingNetwork(config.fetch, signal);
  try {
    const credential = await loadCredential(config.credential);
    const msal = new ConfidentialClientApplication({
      auth: { clientId: config.clientId, ...authority(config.endpoints, entraTenant), ...msalCredential(credential) },
      system: { networkClient: network },
    });
    const result = await msal.acquireTokenByClientCredential({ scopes: [config.endpoints.scope], skipCache: true });
    if (!result?.accessToken || !result.expiresOn) return classifyTokenWire(network.last);
    const claims = claimsOf(result.accessToken);
    const tid = textOf(claims?.['tid']);
    if (tid !== undefined && tid.toLowerCase() !== entraTenant.toLowerCase()) {
      return {
        kind: 'refused',
        failure: 'TokenRefused',
        note: 'The token is of another directory than was asked for.',
      };
    }
    const roles = rolesOf(claims);
    return {
      kind: 'token',
      accessToken: result.accessToken,
      expiresAt: result.expiresOn.getTime(),
      roles,
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof CredentialError) {
      return { kind: 'refused', failure: 'CredentialsRejected', note: error.message };
    }
    // Nothing was sent: the instance could not be made, which is about our configuration.
    if (!network.asked) return { kind: 'refused', failure: 'TokenRefused', note: nameOf(error) };
    return classifyTokenWire(network.last);
  }
}

/** The roles of an application token, undefined where it cannot be read. A token without the claim has none. */
export function rolesOfToken(accessToken: string): readonly string[] | undefined {
  return rolesOf(claimsOf(accessToken));
}

function rolesOf(claims: Readonly<Record<string, unknown>> | undefined): readonly string[] | undefined {
  if (claims === undefined) return undefined;
  const roles = claims['roles'];
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
}

function claimsOf(accessToken: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload, signature] = accessToken.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  return isObject(claims) ? claims : undefined;
}

// The endpoints are documented (2.1); stating them spares two discovery requests for each token, one of them to
// login.microsoftonline.com whatever the configured host is (10.2).
function authority({ authorityHost }: Endpoints, entraTenant: string) {
  const base = `${authorityHost}/${entraTenant}`;
  return {
    authority: base,
    knownAuthorities: [new URL(authorityHost).host],
    authorityMetadata: JSON.stringify({
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      issuer: `${base}/v2.0`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    }),
  };
}

function msalCredential(credential: LoadedCredential): Partial<Configuration['auth']> {
  if (credential.kind === 'secret') return { clientSecret: credential.secret };
  if (credential.kind === 'federated') return { clientAssertion: credential.assertion };
  const privateKey = credential.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { clientCertificate: { thumbprintSha256: credential.thumbprint, privateKey } };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

/** MSAL's network, with the time limit that its own POST lacks, and a memory of what came over the wire. */
class RecordingNetwork implements INetworkModule {
  readonly #fetch: typeof fetch;
  readonly #signal: AbortSignal | undefined;
  asked = false;
  last: TokenWire;

  constructor(fetch: typeof globalThis.fetch, signal: AbortSignal | undefined) {
    this.#fetch = fetch;
    this.#signal = signal;
  }

  async sendGetRequestAsync(url: string, options?: NetworkOptions) {
    return this.#send('GET', url, options);
  }

  async sendPostRequestAsync(url: string, options?: NetworkOptions) {
    return this.#send('POST', url, options);
  }

  async #send(method: string, url: string, options: NetworkOptions | undefined) {
    this.asked = true;
    this.last = undefined;
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await this.#fetch(url, {
      method,
      redirect: 'manual',
      headers: options?.headers ?? {},
      signal: eitherOf(timeout, this.#signal),
      ...(options?.body === undefined ? {} : { body: options.body }),
    });
    const text = await response.text();
    this.last = { status: response.status, headers: response.headers, text };
    const body = parseJson(text);
    // MSAL takes the body apart without looking: a page of HTML must reach it as an empty answer.
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: (isObject(body) ? body : {}) as never,
    };
  }
}

interface NetworkOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}
