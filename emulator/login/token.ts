import { createHash } from 'node:crypto';
import { jsonReply, type HttpRequest, type Reply } from '../http/message.ts';
import { GRAPH_APP_ID } from '../permissions.ts';
import type { AppRegistration } from '../registrations.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import type { CodeGrant } from './authorization-codes.ts';
import { resolveAuthority, type Authority } from './authority.ts';
import { checkCredentials, readCredentials } from './client-authentication.ts';
import { stsError, stsErrorReply, stsHeaders, trailerOf, type StsError } from './sts-error.ts';
import { appToken, idToken, lifetimeOf, userToken } from './tokens.ts';

type Grant = { readonly body: Readonly<Record<string, unknown>> } | StsError;

/** `POST /{tenant}/oauth2/v2.0/token`. Unknown parameters, in the body or in the query, are ignored. */
export function tokenEndpoint(world: World, request: HttpRequest, name: string): Reply {
  const form = new URLSearchParams(request.body);
  const trailer = trailerOf(request, world.clock, form);
  const result = answer(world, request, form, name);
  if ('code' in result) return stsErrorReply(result, trailer, request.origin);
  return jsonReply(200, result.body, stsHeaders(trailer));
}

function answer(world: World, request: HttpRequest, form: URLSearchParams, name: string): Grant {
  if (request.method !== 'POST') return stsError(900561, { method: request.method });
  const authority = resolveAuthority(world, name);
  if (authority.kind === 'unknown') return stsError(90002, { tenant: name });
  const grantType = form.get('grant_type');
  if (grantType === null || grantType === '') return stsError(900144, { parameter: 'grant_type' });
  const credentials = readCredentials(request, form);
  if (credentials.clientId === undefined) return stsError(900144, { parameter: 'client_id' });
  const registration = world.registration(credentials.clientId);
  if (registration === undefined) {
    return stsError(700016, { app: credentials.clientId, tenant: displayName(authority) });
  }
  switch (grantType) {
    case 'client_credentials':
      return clientCredentials(world, request, form, authority, registration);
    case 'authorization_code':
      return (
        checkCredentials(world, request, registration, credentials) ?? redeemCode(world, form, authority, registration)
      );
    case 'refresh_token':
      return checkCredentials(world, request, registration, credentials) ?? refresh(world, form, registration);
    default:
      return stsError(70003, { value: grantType });
  }
}

function clientCredentials(
  world: World,
  request: HttpRequest,
  form: URLSearchParams,
  authority: Authority,
  registration: AppRegistration,
): Grant {
  if (authority.kind !== 'tenant') return authority.name === 'common' ? stsError(9001023) : stsError(50059);
  const { tenant } = authority;
  const app = registration.clientId;
  const state = tenant.grants.state(app);
  const missing = { app, tenant: tenant.displayName };
  if (state.kind === 'absent' && tenant.settings.missingPrincipalCode === 700016) return stsError(700016, missing);
  const credentials = readCredentials(request, form);
  const refused = checkCredentials(world, request, registration, credentials);
  if (refused !== undefined) return refused;
  const scope = form.get('scope') ?? '';
  if (scope === '') return stsError(900144, { parameter: 'scope' });
  if (!scope.endsWith('/.default') || scope.includes(' ')) return stsError(1002012, { scope });
  const resource = scope.slice(0, -'/.default'.length);
  if (!isGraph(resource, request)) return stsError(500011, { resource, tenant: tenant.displayName });
  // Until 2026 a token was issued here without a principal; now the request fails (reference, 1.5).
  if (state.kind === 'absent') return stsError(7000229, missing);
  if (!state.enabled) return stsError(7000112, { app, name: registration.displayName });
  if (tenant.settings.blockedByPolicy.includes('applications')) return stsError(53003);
  const lifetime = lifetimeOf(tenant, registration);
  const proof = credentials.secret === undefined ? 'assertion' : 'secret';
  const token = appToken(world, tenant, registration, { principal: state.ref, roles: state.roles, proof }, resource);
  const expiry = { expires_in: lifetime, ext_expires_in: lifetime };
  return { body: { token_type: 'Bearer', ...expiry, access_token: token } };
}

/** Graph by its name, by its application id, or by our own host with or without the port: clients cut the port off. */
function isGraph(resource: string, request: HttpRequest): boolean {
  const trimmed = resource.replace(/\/$/, '').toLowerCase();
  const { host, hostname } = new URL(request.origin);
  return [
    'https://graph.microsoft.com',
    'https://graph.microsoft.us',
    'https://dod-graph.microsoft.us',
    'https://microsoftgraph.chinacloudapi.cn',
    GRAPH_APP_ID,
    ...[host, hostname].flatMap((name) => [`https://${name}`, `http://${name}`]),
  ].includes(trimmed);
}

function redeemCode(world: World, form: URLSearchParams, authority: Authority, registration: AppRegistration): Grant {
  const code = form.get('code');
  if (code === null || code === '') return stsError(900144, { parameter: 'code' });
  const entry = world.codes.find(code);
  if (entry === undefined || entry.grant.clientId !== registration.clientId) return stsError(70000);
  const { grant } = entry;
  if (entry.redeemed) return stsError(54005);
  if (grant.expiresAt <= world.clock.now()) return stsError(70008);
  if (grant.authority !== authority.name) return stsError(700005);
  if (form.get('redirect_uri') !== grant.redirectUri) {
    return stsError(50011, { redirectUri: form.get('redirect_uri') ?? '', app: registration.clientId });
  }
  if (grant.challenge !== undefined) {
    const verifier = form.get('code_verifier') ?? '';
    if (verifier.length < 43 || verifier.length > 128) return stsError(501481);
    if (createHash('sha256').update(verifier).digest('base64url') !== grant.challenge) return stsError(501481);
  }
  world.codes.markRedeemed(code);
  return userTokens(world, form, grant, registration);
}

function refresh(world: World, form: URLSearchParams, registration: AppRegistration): Grant {
  const grant = world.codes.findRefreshToken(form.get('refresh_token') ?? '');
  if (grant === undefined || grant.clientId !== registration.clientId) return stsError(70000);
  return userTokens(world, form, { ...grant, nonce: undefined }, registration);
}

function userTokens(world: World, form: URLSearchParams, grant: CodeGrant, registration: AppRegistration): Grant {
  const tenant = world.tenants.get(grant.tenantId);
  const user = tenant?.directory.find(grant.userId);
  if (tenant === undefined || user === undefined || !tenant.directory.isLive(user)) {
    return stsError(50034, { account: grant.userId, tenant: grant.tenantId });
  }
  if (tenant.directory.record(user)['accountEnabled'] === false) return stsError(50057);
  if (!hasConsent(tenant, registration)) {
    return stsError(65001, { app: registration.clientId, name: registration.displayName });
  }
  const lifetime = lifetimeOf(tenant, registration);
  const scopes = grant.scope.split(' ');
  const graphScopes = scopes.filter((scope) => scope !== 'offline_access').join(' ');
  return {
    body: {
      token_type: 'Bearer',
      scope: graphScopes,
      expires_in: lifetime,
      ext_expires_in: lifetime,
      access_token: userToken(world, tenant, registration, user, graphScopes, GRAPH_APP_ID),
      ...(scopes.includes('offline_access') ? { refresh_token: world.codes.issueRefreshToken(grant) } : {}),
      ...(scopes.includes('openid')
        ? { id_token: idToken(world, tenant, registration, user, grant.nonce, grant.scope) }
        : {}),
      // MSAL asks for it and makes the account's home id of it.
      ...(form.get('client_info') === '1' ? { client_info: clientInfo(grant) } : {}),
    },
  };
}

function hasConsent(tenant: Tenant, registration: AppRegistration): boolean {
  return tenant.grants.principalOf(registration.clientId) !== undefined;
}

function clientInfo(grant: CodeGrant): string {
  return Buffer.from(JSON.stringify({ uid: grant.userId, utid: grant.tenantId })).toString('base64url');
}

function displayName(authority: Authority): string {
  return authority.kind === 'tenant' ? authority.tenant.displayName : authority.name;
}
