import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Claims } from '../signing-keys.ts';
import { textOf } from '../directory/directory-record.ts';
import type { ObjectRef } from '../directory/object-ref.ts';
import type { AppRegistration } from '../registrations.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { issuerOf } from './authority.ts';

const nowSeconds = (world: World): number => Math.floor(world.clock.now() / 1000);
const opaque = (bytes: number): string => randomBytes(bytes).toString('base64url');

export function lifetimeOf(tenant: Tenant, registration: AppRegistration): number {
  return tenant.settings.tokenLifetimeSeconds ?? registration.tokenLifetimeSeconds;
}

/** Claims that every Graph access token has: v1.0 format, issued by sts.windows.net (reference, 2.3). */
function commonClaims(world: World, tenant: Tenant, registration: AppRegistration, audience: string): Claims {
  const issuedAt = nowSeconds(world);
  return {
    aud: audience,
    iss: `https://sts.windows.net/${tenant.id}/`,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + lifetimeOf(tenant, registration),
    aio: opaque(24),
    app_displayname: registration.displayName,
    appid: registration.clientId,
    appidacr: '1',
    idp: `https://sts.windows.net/${tenant.id}/`,
    rh: `1.${opaque(16)}`,
    tenant_region_scope: 'EU',
    tid: tenant.id,
    uti: opaque(16),
    ver: '1.0',
    xms_tcdt: Math.floor(Date.parse(tenant.createdDateTime) / 1000),
  };
}

/** An app-only token. A principal without grants gets one too; its `roles` are missing, not empty. */
export function appToken(
  world: World,
  tenant: Tenant,
  registration: AppRegistration,
  client: { readonly principal: ObjectRef; readonly roles: readonly string[]; readonly proof: 'secret' | 'assertion' },
  audience: string,
): string {
  const { roles } = client;
  const oid = tenant.directory.idOf(client.principal);
  const claims = {
    ...commonClaims(world, tenant, registration, audience),
    appidacr: client.proof === 'secret' ? '1' : '2',
    idtyp: 'app',
    oid,
    sub: oid,
    wids: ['0997a1d0-0d1d-4acb-b408-d5ca73121e90'],
    ...(roles.length > 0 ? { roles } : {}),
  };
  return world.keys.signGraphToken(claims, opaque(32));
}

/** A token for Graph in the name of a user. */
export function userToken(
  world: World,
  tenant: Tenant,
  registration: AppRegistration,
  user: ObjectRef,
  scope: string,
  audience: string,
): string {
  const account = tenant.account(user);
  const claims = {
    ...commonClaims(world, tenant, registration, audience),
    idtyp: 'user',
    oid: account.id,
    sub: pairwiseSubject(account.id, registration.clientId),
    name: account.displayName,
    upn: account.userPrincipalName,
    unique_name: account.userPrincipalName,
    scp: scope,
    wids: tenant.rolesOf(user),
  };
  return world.keys.signGraphToken(claims, opaque(32));
}

/** The id_token of v2.0 (reference, 2.5). */
export function idToken(
  world: World,
  tenant: Tenant,
  registration: AppRegistration,
  user: ObjectRef,
  nonce: string | undefined,
  scope: string,
): string {
  const issuedAt = nowSeconds(world);
  const account = tenant.account(user);
  const record = tenant.directory.record(user);
  const mail = textOf(record, 'mail');
  const scopes = scope.split(' ');
  const withWids = registration.widsInIdToken && tenant.settings.widsInIdToken;
  return world.keys.signToken({
    ver: '2.0',
    iss: issuerOf(world, tenant.id),
    sub: pairwiseSubject(account.id, registration.clientId),
    aud: registration.clientId,
    exp: issuedAt + lifetimeOf(tenant, registration),
    iat: issuedAt,
    nbf: issuedAt,
    tid: tenant.id,
    uti: opaque(16),
    rh: `1.${opaque(16)}`,
    sid: randomUUID(),
    // These four need the profile scope.
    ...(scopes.includes('profile')
      ? { oid: account.id, name: account.displayName, preferred_username: account.userPrincipalName }
      : {}),
    ...(scopes.includes('email') && mail !== undefined ? { email: mail } : {}),
    // A guest's home is another identity provider than the tenant that issues the token.
    ...(record['userType'] === 'Guest' ? { idp: `https://sts.windows.net/${randomUUID()}/` } : {}),
    ...(nonce === undefined ? {} : { nonce }),
    ...(withWids ? { wids: tenant.rolesOf(user) } : {}),
  });
}

/** A subject that is the same for a user and an app, and says nothing to another app. */
function pairwiseSubject(userId: string, clientId: string): string {
  return createHash('sha256').update(`${userId} ${clientId}`).digest('base64url');
}
