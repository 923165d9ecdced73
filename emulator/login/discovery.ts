import { jsonReply, type HttpRequest, type Reply } from '../http/message.ts';
import type { World } from '../world.ts';
import { issuerOf, resolveAuthority } from './authority.ts';
import { stsError, stsErrorReply, trailerOf } from './sts-error.ts';

/** `/{tenant}/v2.0/.well-known/openid-configuration` */
export function openidConfiguration(world: World, request: HttpRequest, name: string): Reply {
  const authority = resolveAuthority(world, name);
  if (authority.kind === 'unknown') {
    // Discovery says invalid_tenant where the token endpoint says invalid_request (reference, 1.8 on 90002).
    const error = { ...stsError(90002, { tenant: name }), error: 'invalid_tenant' };
    return stsErrorReply(error, trailerOf(request, world.clock), request.origin);
  }
  // On common and organizations the issuer is a template with literal braces.
  const tenantId = authority.kind === 'tenant' ? authority.tenant.id : '{tenantid}';
  const base = `${request.origin}/${authority.name}`;
  const host = new URL(request.origin).host;
  return jsonReply(200, {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: issuerOf(world, tenantId),
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${request.origin}/oidc/userinfo`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: (
      'sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat ' +
      'auth_time acr nonce preferred_username name tid ver at_hash c_hash email'
    ).split(' '),
    tenant_region_scope: authority.kind === 'tenant' ? 'EU' : null,
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: host,
    rbac_url: 'https://pas.windows.net',
  });
}

/** `/{tenant}/discovery/v2.0/keys`: the same keys for every tenant, with the issuer that each may sign for. */
export function keySet(world: World, request: HttpRequest, name: string): Reply {
  const authority = resolveAuthority(world, name);
  if (authority.kind === 'unknown') {
    const error = { ...stsError(90002, { tenant: name }), error: 'invalid_tenant' };
    return stsErrorReply(error, trailerOf(request, world.clock), request.origin);
  }
  const tenantId = authority.kind === 'tenant' ? authority.tenant.id : '{tenantid}';
  return jsonReply(200, world.keys.publicKeys(issuerOf(world, tenantId)));
}

/** `/common/discovery/instance`: what MSAL asks before it trusts a host. */
export function instanceDiscovery(request: HttpRequest): Reply {
  const host = new URL(request.origin).host;
  return jsonReply(200, {
    tenant_discovery_endpoint: `${request.origin}/common/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}
