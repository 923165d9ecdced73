import { headerOf, type HttpRequest } from '../http/message.ts';
import { GRAPH_APP_ID } from '../permissions.ts';
import type { Claims } from '../signing-keys.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { GraphError } from './graph-error.ts';

/** Who calls Graph, by the token alone: a permission removed since then still counts until the token expires. */
export interface Caller {
  readonly tenant: Tenant;
  readonly appId: string;
  /** Application permissions; empty for a caller in the name of a user. */
  readonly roles: ReadonlySet<string>;
  /** Delegated permissions; empty for an app-only caller. */
  readonly scopes: ReadonlySet<string>;
  readonly userId: string | undefined;
}

const VERIFIED_KEPT = 1000;

/** Checks bearer tokens; a signature is verified once and then remembered. */
export class Authenticator {
  readonly #world: World;
  readonly #verified = new Map<string, Claims>();

  constructor(world: World) {
    this.#world = world;
  }

  caller(request: HttpRequest): Caller {
    const header = headerOf(request, 'authorization') ?? '';
    const token = /^Bearer\s+(.+)$/i.exec(header)?.[1]?.trim();
    if (token === undefined) throw this.#refuse('Access token is empty.');
    const claims = this.#claimsOf(token);
    if (claims === undefined) throw this.#refuse('Access token validation failure.');
    if (!this.#isForGraph(String(claims['aud']), request)) {
      throw this.#refuse('Access token validation failure. Invalid audience.');
    }
    if (Number(claims['exp']) * 1000 <= this.#world.clock.now()) {
      throw this.#refuse('Lifetime validation failed, the token is expired.');
    }
    const tenant = this.#world.tenants.get(String(claims['tid']));
    if (tenant === undefined) throw this.#refuse('Access token validation failure.');
    const appId = String(claims['appid']);
    if (tenant.settings.refuseTokensOfDeletedPrincipal && tenant.grants.state(appId).kind === 'absent') {
      const text = 'The identity of the calling application could not be established.';
      throw new GraphError(401, 'Authorization_IdentityNotFound', text);
    }
    const roles = Array.isArray(claims['roles']) ? claims['roles'].map(String) : [];
    const scopes = typeof claims['scp'] === 'string' ? claims['scp'].split(' ') : [];
    const userId = claims['idtyp'] === 'user' ? String(claims['oid']) : undefined;
    return { tenant, appId, roles: new Set(roles), scopes: new Set(scopes), userId };
  }

  /** After a rotation that forgot old keys, remembered signatures no longer count. */
  forget(): void {
    this.#verified.clear();
  }

  #claimsOf(token: string): Claims | undefined {
    const known = this.#verified.get(token);
    if (known !== undefined) return known;
    const claims = this.#world.keys.verifyOwn(token);
    if (claims === undefined) return undefined;
    if (this.#verified.size >= VERIFIED_KEPT) this.#verified.clear();
    this.#verified.set(token, claims);
    return claims;
  }

  #isForGraph(audience: string, request: HttpRequest): boolean {
    const { host, hostname } = new URL(request.origin);
    const wanted = audience.replace(/\/$/, '').toLowerCase();
    return (
      wanted === GRAPH_APP_ID ||
      /^https:\/\/(dod-)?(microsoft)?graph\.(microsoft\.(com|us)|chinacloudapi\.cn)$/.test(wanted) ||
      wanted === 'https://microsoftgraph.chinacloudapi.cn' ||
      [host, hostname].some((name) => wanted === `https://${name}` || wanted === `http://${name}`)
    );
  }

  #refuse(message: string): GraphError {
    const challenge = `Bearer realm="", authorization_uri="${this.#world.issuerOrigin}/common/oauth2/authorize", client_id="${GRAPH_APP_ID}"`;
    return new GraphError(401, 'InvalidAuthenticationToken', message, { 'WWW-Authenticate': challenge });
  }
}

/** The tenant a bearer token names, unchecked: enough to decide whether a fault is meant for it. */
export function tenantOfToken(request: HttpRequest): string | undefined {
  const payload = /^Bearer\s+[^.]+\.([^.]+)\./i.exec(headerOf(request, 'authorization') ?? '')?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null && 'tid' in claims ? String(claims.tid) : undefined;
  } catch {
    return undefined;
  }
}
