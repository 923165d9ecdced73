import type { Endpoints } from './cloud.ts';
import { eitherOf } from './either-of.ts';
import { isObject, parseJson, textOf } from './json.ts';

export interface ConsentRequest {
  /** The directory's id or domain where it is known, else the administrator chooses. */
  readonly entraTenant?: string;
  readonly redirectUri: string;
  readonly state: string;
}

export type ResolvedDirectory =
  | { readonly kind: 'directory'; readonly id: string }
  /** Microsoft knows no such directory, in this cloud. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' };

const REQUEST_TIMEOUT_MS = 10_000;
const DIRECTORY_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;
const DIRECTORY_ID = /\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\//i;
/** Names that stand for many directories (2.1). */
const SHARED = new Set(['common', 'organizations', 'consumers']);

/** The v2 endpoint: with `.default` it asks for all that the registration declares, of both kinds (1.1). */
export function adminConsentUrl(endpoints: Endpoints, clientId: string, request: ConsentRequest): string {
  const tenant = encodeURIComponent(request.entraTenant ?? 'organizations');
  const url = new URL(`${endpoints.authorityHost}/${tenant}/v2.0/adminconsent`);
  url.search = new URLSearchParams({
    client_id: clientId,
    scope: endpoints.scope,
    redirect_uri: request.redirectUri,
    state: request.state,
  }).toString();
  return url.href;
}

/** Asks the public openid-configuration, which needs no credential: its issuer names the directory (2.1). */
export async function resolveDirectory(
  config: { readonly endpoints: Endpoints; readonly fetch: typeof fetch },
  domainOrId: string,
  signal?: AbortSignal,
): Promise<ResolvedDirectory> {
  const name = domainOrId.trim();
  if (!DIRECTORY_NAME.test(name) || SHARED.has(name.toLowerCase())) return { kind: 'unknown' };
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    const response = await config.fetch(
      `${config.endpoints.authorityHost}/${name}/v2.0/.well-known/openid-configuration`,
      {
        redirect: 'manual',
        headers: { accept: 'application/json' },
        signal: eitherOf(timeout, signal),
      },
    );
    const body = parseJson(await response.text());
    if (!isObject(body)) return { kind: 'unavailable' };
    // 400 invalid_tenant with AADSTS90002: no such directory.
    if (response.status === 400 || response.status === 404) return { kind: 'unknown' };
    const id = DIRECTORY_ID.exec(textOf(body['issuer']) ?? '')?.[1];
    return response.ok && id !== undefined ? { kind: 'directory', id: id.toLowerCase() } : { kind: 'unavailable' };
  } catch {
    signal?.throwIfAborted();
    return { kind: 'unavailable' };
  }
}
