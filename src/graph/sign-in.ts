import * as oidc from 'openid-client';
import { aadstsEntry, aadstsIn } from '../domain/catalogue/catalogue.ts';
import type { Endpoints } from './cloud.ts';
import { loadCredential, withCredentials, type Credential } from './credential.ts';
import { eitherOf } from './either-of.ts';
import { textOf } from './json.ts';

export interface ProofRequest {
  /** The directory, by id. */
  readonly entraTenant: string;
  readonly redirectUri: string;
  readonly state: string;
  /** Asks for a password again, or for another account, where a session would do. */
  readonly prompt?: 'login' | 'select_account';
}

export interface BegunProof {
  readonly url: string;
  /** PKCE verifier. */
  readonly verifier: string;
  readonly nonce: string;
}

export interface SessionEnd {
  readonly entraTenant: string;
  readonly redirectUri: string;
}

export interface ProofReturn {
  readonly entraTenant: string;
  /** The whole URL, or path and query, that the browser came back with. */
  readonly callbackUrl: string;
  /** The one that was sent: behind a proxy it differs from what the server sees. */
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: string;
  readonly nonce: string;
  readonly signal?: AbortSignal;
}

export type ProofOutcome =
  | {
      readonly proven: true;
      readonly tid: string;
      readonly oid: string;
      /** Directory role template ids; absent where the registration does not ask for the claim. */
      readonly wids?: readonly string[];
      /** For people to recognise; never a key (2.2). */
      readonly account: string | null;
      readonly name: string | null;
      /** When they proved it to Microsoft, ISO 8601; absent where the registration does not ask for the claim. */
      readonly authTime?: string;
    }
  /** The person said no, or Microsoft did; `code` is the OAuth error. */
  | { readonly proven: false; readonly reason: 'declined'; readonly code: string }
  /** Something did not check out, or the code was used already: start again. `code` is Microsoft's number if it gave one. */
  | { readonly proven: false; readonly reason: 'failed'; readonly code: string }
  | { readonly proven: false; readonly reason: 'unavailable'; readonly code: string };

export interface SignInConfig {
  readonly clientId: string;
  readonly credential: Credential;
  readonly nextCredential?: Credential | undefined;
  readonly endpoints: Endpoints;
  readonly fetch: typeof fetch;
}

const REQUEST_TIMEOUT_S = 10;
const CLOCK_TOLERANCE_S = 300; // 2.2

/** `profile` brings oid, tid and the names; roles of the directory come in `wids` if the registration asks for them. */
const SCOPE = 'openid profile';

export async function beginProof(config: SignInConfig, request: ProofRequest): Promise<BegunProof> {
  const verifier = oidc.randomPKCECodeVerifier();
  const nonce = oidc.randomNonce();
  const base = `${config.endpoints.authorityHost}/${encodeURIComponent(request.entraTenant)}`;
  // Stated as documented (2.1) rather than discovered: sending a browser on its way must not depend on the network.
  const server = { issuer: `${base}/v2.0`, authorization_endpoint: `${base}/oauth2/v2.0/authorize` };
  const url = oidc.buildAuthorizationUrl(new oidc.Configuration(server, config.clientId), {
    redirect_uri: request.redirectUri,
    scope: SCOPE,
    response_mode: 'query',
    state: request.state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(request.prompt === undefined ? {} : { prompt: request.prompt }),
  });
  return { url: url.href, verifier, nonce };
}

/**
 * Where a browser ends its session at Microsoft. It is sent on only to a redirect URI of the registration (RP-initiated
 * logout, https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request).
 */
export function endSessionUrl({ endpoints }: Pick<SignInConfig, 'endpoints'>, end: SessionEnd): string {
  const url = new URL(`${endpoints.authorityHost}/${encodeURIComponent(end.entraTenant)}/oauth2/v2.0/logout`);
  url.search = new URLSearchParams({ post_logout_redirect_uri: end.redirectUri }).toString();
  return url.href;
}

export async function finishProof(config: SignInConfig, back: ProofReturn): Promise<ProofOutcome> {
  const { outcome } = await withCredentials<ProofOutcome>(
    config,
    (credential) => finishWith({ ...config, credential }, back),
    // Who the client is, is looked at before the code: a refusal of the one leaves the other good.
    (outcome) => !outcome.proven && aadstsEntry(aadstsIn(outcome.code) ?? 0)?.problem === 'credentials_rejected',
  );
  return outcome;
}

async function finishWith(config: SignInConfig, back: ProofReturn): Promise<ProofOutcome> {
  const callback = new URL(back.callbackUrl, back.redirectUri);
  const error = callback.searchParams.get('error');
  if (error !== null) return { proven: false, reason: 'declined', code: quotable(error) };
  // What was registered and sent, with what came back: the server's own idea of its URL may be that of a proxy's inside.
  const landed = new URL(back.redirectUri);
  landed.search = callback.search;
  try {
    const server = await discover(config, back);
    if (!server) return failed('wrong_issuer');
    const tokens = await oidc.authorizationCodeGrant(server, landed, {
      expectedState: back.state,
      expectedNonce: back.nonce,
      pkceCodeVerifier: back.verifier,
      idTokenExpected: true,
    });
    return judge(tokens.claims(), back.entraTenant);
  } catch (error) {
    back.signal?.throwIfAborted();
    return refusalOf(error);
  }
}

async function discover(config: SignInConfig, back: ProofReturn): Promise<oidc.Configuration | undefined> {
  const { endpoints, clientId, fetch } = config;
  const customFetch: oidc.CustomFetch = (url, { body, ...options }) =>
    fetch(url, {
      ...options,
      // Nothing but forms is posted here.
      ...(body instanceof URLSearchParams ? { body } : {}),
      ...(options.signal ? { signal: eitherOf(options.signal, back.signal) } : {}),
    });
  const issuer = new URL(`${endpoints.authorityHost}/${encodeURIComponent(back.entraTenant)}/v2.0`);
  const server = await oidc.discovery(
    issuer,
    clientId,
    { [oidc.clockTolerance]: CLOCK_TOLERANCE_S },
    await clientAuth(config.credential),
    {
      [oidc.customFetch]: customFetch,
      timeout: REQUEST_TIMEOUT_S,
      // By the standard, TLS to the token endpoint would do; the signature is checked all the same.
      execute: [oidc.enableNonRepudiationChecks],
    },
  );
  // The library makes an exception for Microsoft's global host, meant for the template issuer of /common (2.1).
  return server.serverMetadata().issuer === issuer.href ? server : undefined;
}

async function clientAuth(credential: Credential): Promise<oidc.ClientAuth> {
  const loaded = await loadCredential(credential);
  if (loaded.kind === 'secret') return oidc.ClientSecretPost(loaded.secret);
  if (loaded.kind === 'certificate') {
    const der = loaded.key.export({ type: 'pkcs8', format: 'der' });
    const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
    return (server, ...request) =>
      oidc.PrivateKeyJwt(key, {
        [oidc.modifyAssertion]: (header, payload) => {
          header['x5t#S256'] = Buffer.from(loaded.thumbprint, 'hex').toString('base64url');
          // The library names the issuer; Microsoft documents its token endpoint (2.3):
          // https://learn.microsoft.com/entra/identity-platform/certificate-credentials#claims-payload
          payload['aud'] = server.token_endpoint ?? server.issuer;
        },
      })(server, ...request);
  }
  return (_server, client, body) => {
    body.set('client_id', client.client_id);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', loaded.assertion);
  };
}

/** The library has checked signature, issuer, audience, times and nonce; what is Microsoft's own is checked here. */
function judge(claims: oidc.IDToken | undefined, entraTenant: string): ProofOutcome {
  const tid = textOf(claims?.['tid'])?.toLowerCase();
  const oid = textOf(claims?.['oid'])?.toLowerCase();
  if (claims === undefined || tid !== entraTenant.toLowerCase()) return failed('wrong_directory');
  if (oid === undefined) return failed('no_object_id');
  const wids: unknown = claims['wids'];
  return {
    proven: true,
    tid,
    oid,
    ...(Array.isArray(wids)
      ? { wids: wids.filter((wid) => typeof wid === 'string').map((wid) => wid.toLowerCase()) }
      : {}),
    account: textOf(claims['preferred_username']) ?? null,
    name: textOf(claims['name']) ?? null,
    ...(claims.auth_time === undefined ? {} : { authTime: new Date(claims.auth_time * 1000).toISOString() }),
  };
}

function refusalOf(error: unknown): ProofOutcome {
  if (error instanceof oidc.AuthorizationResponseError) {
    return { proven: false, reason: 'declined', code: quotable(error.error) };
  }
  if (error instanceof oidc.ResponseBodyError) {
    const busy = error.status === 429 || error.status >= 500;
    const number = busy ? undefined : aadstsIn(error.error_description);
    const code = number === undefined ? quotable(error.error) : `AADSTS${number}`;
    return { proven: false, reason: busy ? 'unavailable' : 'failed', code };
  }
  const code = error instanceof oidc.ClientError ? error.code : undefined;
  // Answers that are no OAuth answers at all, and no answer: Microsoft was not reached.
  if (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' || code === 'OAUTH_RESPONSE_IS_NOT_JSON' || code === 'OAUTH_TIMEOUT') {
    return { proven: false, reason: 'unavailable', code };
  }
  if (error instanceof TypeError && code === undefined)
    return { proven: false, reason: 'unavailable', code: 'network' };
  return failed(code ?? 'unknown');
}

function failed(code: string): ProofOutcome {
  return { proven: false, reason: 'failed', code };
}

function quotable(code: string): string {
  return /^[\w.]{1,64}$/.test(code) ? code : 'unknown';
}
