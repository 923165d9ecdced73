import type { Clock } from './clock.ts';
import type { Directory } from './directory/directory.ts';
import type { ObjectRef } from './directory/object-ref.ts';
import { APPLICATION_PERMISSIONS, DELEGATED_PERMISSIONS, GRAPH_APP_ID, PERMISSION_TITLES } from './permissions.ts';
import { guidFrom } from './random.ts';
import type { AppRegistration } from './registrations.ts';

/** An app role given to a service principal, a user or a group. */
export interface AppRoleAssignment {
  readonly id: string;
  readonly appRoleId: string;
  readonly createdDateTime: string;
  readonly principal: ObjectRef;
  readonly principalType: 'ServicePrincipal' | 'User' | 'Group';
  readonly resource: ObjectRef;
  /** The moment from which tokens and reads show it. */
  readonly visibleAt: number;
}

/** Delegated permissions given to an app, for all users or for one. */
export interface PermissionGrant {
  readonly id: string;
  readonly client: ObjectRef;
  readonly resource: ObjectRef;
  readonly principal: ObjectRef | undefined;
  readonly scope: string;
}

interface AppPrincipal {
  readonly ref: ObjectRef;
  readonly visibleAt: number;
}

/** What the token endpoint finds when it looks for an app in a tenant. */
export type PrincipalState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present'; readonly ref: ObjectRef; readonly enabled: boolean; readonly roles: readonly string[] };

const PERMISSION_BY_ID = new Map(Object.entries(APPLICATION_PERMISSIONS).map(([name, id]) => [id, name]));

/** Which apps a tenant knows and what it granted them. */
export class AppGrants {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #principals = new Map<string, AppPrincipal>();
  readonly graphPrincipal: ObjectRef;
  #assignments: readonly AppRoleAssignment[] = [];
  #grants: readonly PermissionGrant[] = [];
  #count = 0;

  constructor(directory: Directory, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
    this.graphPrincipal = directory.create('servicePrincipal', graphPrincipalRecord());
    this.#principals.set(GRAPH_APP_ID, { ref: this.graphPrincipal, visibleAt: 0 });
  }

  /** The live service principal of an app, as soon as consent has replicated. */
  principalOf(appId: string): ObjectRef | undefined {
    const principal = this.#principals.get(appId.toLowerCase());
    if (principal === undefined || principal.visibleAt > this.#clock.now()) return undefined;
    return this.#directory.isLive(principal.ref) ? principal.ref : undefined;
  }

  state(appId: string): PrincipalState {
    const ref = this.principalOf(appId);
    if (ref === undefined) return { kind: 'absent' };
    const roles = this.assignmentsOf(ref).flatMap((assignment) => PERMISSION_BY_ID.get(assignment.appRoleId) ?? []);
    return { kind: 'present', ref, enabled: this.#directory.record(ref)['accountEnabled'] !== false, roles };
  }

  /** What a principal was granted on others. */
  assignmentsOf(principal: ObjectRef): readonly AppRoleAssignment[] {
    const now = this.#clock.now();
    return this.#assignments.filter((entry) => entry.principal === principal && entry.visibleAt <= now);
  }

  /** Who was assigned to a resource. */
  assignedTo(resource: ObjectRef): readonly AppRoleAssignment[] {
    const now = this.#clock.now();
    return this.#assignments.filter((entry) => entry.resource === resource && entry.visibleAt <= now);
  }

  grantsOf(client: ObjectRef): readonly PermissionGrant[] {
    return this.#grants.filter((grant) => grant.client === client);
  }

  /**
   * What an administrator's consent does: the service principal appears, after half of the delay; its roles after all of
   * it. A permission granted before stays, one added to the registration later is added only now.
   */
  consent(registration: AppRegistration, delayMs: number, permissions?: readonly string[]): ObjectRef {
    const now = this.#clock.now();
    const alive = this.#liveRef(registration);
    const ref = alive ?? this.#createPrincipal(registration);
    if (alive === undefined) this.#principals.set(registration.clientId, { ref, visibleAt: now + delayMs / 2 });
    for (const name of permissions ?? registration.applicationPermissions) this.grantRole(ref, name, now + delayMs);
    this.grantDelegated(ref, registration.delegatedPermissions);
    return ref;
  }

  /** A user's own consent: the service principal and that user's delegated permissions, no application permission. */
  consentAsUser(registration: AppRegistration, user: ObjectRef, scopes: readonly string[]): ObjectRef {
    // One that spreads still is the same one: an app has one principal in a directory.
    const ref = this.#liveRef(registration) ?? this.#createPrincipal(registration);
    this.#principals.set(registration.clientId, { ref, visibleAt: 0 });
    this.grantDelegated(ref, scopes, user);
    return ref;
  }

  grantRole(principal: ObjectRef, permission: string, visibleAt = 0): void {
    const appRoleId = APPLICATION_PERMISSIONS[permission];
    if (appRoleId === undefined) throw new Error(`unknown application permission ${permission}`);
    this.#assign({ appRoleId, principal, principalType: 'ServicePrincipal', resource: this.graphPrincipal, visibleAt });
  }

  removeRole(principal: ObjectRef, permission: string): void {
    const appRoleId = APPLICATION_PERMISSIONS[permission];
    this.#assignments = this.#assignments.filter(
      (entry) => entry.principal !== principal || entry.appRoleId !== appRoleId,
    );
  }

  /** Assigns a user or a group to an app, as "Users and groups" of an enterprise application does. */
  assignToApp(resource: ObjectRef, principal: ObjectRef, principalType: 'User' | 'Group'): void {
    // An app that declares no role of its own is assigned with the empty id (reference, 1.9).
    const appRoleId = '00000000-0000-0000-0000-000000000000';
    this.#assign({ appRoleId, principal, principalType, resource, visibleAt: 0 });
  }

  unassignFromApp(resource: ObjectRef, principal: ObjectRef): void {
    this.#assignments = this.#assignments.filter((e) => e.resource !== resource || e.principal !== principal);
  }

  grantDelegated(client: ObjectRef, scopes: readonly string[], principal?: ObjectRef): void {
    const known = scopes.filter((scope) => DELEGATED_PERMISSIONS[scope] !== undefined);
    const old = this.#grants.find((grant) => grant.client === client && grant.principal === principal);
    const scope = [...new Set([...(old?.scope.split(' ') ?? []), ...known])].join(' ');
    if (scope === '') return;
    const grant = { id: old?.id ?? this.#newId(), client, resource: this.graphPrincipal, principal, scope };
    this.#grants = [...this.#grants.filter((other) => other !== old), grant];
  }

  removeDelegated(client: ObjectRef): void {
    this.#grants = this.#grants.filter((grant) => grant.client !== client);
  }

  #assign(entry: Omit<AppRoleAssignment, 'id' | 'createdDateTime'>): void {
    const exists = this.#assignments.some(
      (other) =>
        other.principal === entry.principal && other.resource === entry.resource && other.appRoleId === entry.appRoleId,
    );
    if (exists) return;
    const assignment = { ...entry, id: this.#newId(), createdDateTime: this.#directory.isoNow() };
    this.#assignments = [...this.#assignments, assignment];
  }

  #liveRef({ clientId }: AppRegistration): ObjectRef | undefined {
    const known = this.#principals.get(clientId);
    return known !== undefined && this.#directory.isLive(known.ref) ? known.ref : undefined;
  }

  #createPrincipal(registration: AppRegistration): ObjectRef {
    return this.#directory.create('servicePrincipal', {
      appId: registration.clientId,
      displayName: registration.displayName,
      appDisplayName: registration.displayName,
      accountEnabled: true,
      appRoleAssignmentRequired: false,
      appOwnerOrganizationId: registration.homeTenantId,
      servicePrincipalType: 'Application',
      signInAudience: 'AzureADMultipleOrgs',
      servicePrincipalNames: [registration.clientId],
      replyUrls: registration.redirectUris,
      tags: ['WindowsAzureActiveDirectoryIntegratedApp'],
    });
  }

  /** Ids of assignments and grants are opaque texts of this look. */
  #newId(): string {
    this.#count += 1;
    const bytes = guidFrom(this.graphPrincipal, this.#count).replaceAll('-', '');
    return Buffer.from(bytes, 'hex').toString('base64url');
  }
}

function graphPrincipalRecord(): Parameters<Directory['create']>[1] {
  return {
    appId: GRAPH_APP_ID,
    displayName: 'Microsoft Graph',
    appDisplayName: 'Microsoft Graph',
    accountEnabled: true,
    appRoleAssignmentRequired: false,
    appOwnerOrganizationId: 'f8cdef31-a31e-4b4a-93e4-5f571e91255a',
    servicePrincipalType: 'Application',
    signInAudience: 'AzureADMultipleOrgs',
    servicePrincipalNames: [GRAPH_APP_ID, 'https://graph.microsoft.com'],
    appRoles: Object.entries(APPLICATION_PERMISSIONS).map(([value, id]) => ({
      allowedMemberTypes: ['Application'],
      description: PERMISSION_TITLES[value] ?? value,
      displayName: PERMISSION_TITLES[value] ?? value,
      id,
      isEnabled: true,
      origin: 'Application',
      value,
    })),
    oauth2PermissionScopes: Object.entries(DELEGATED_PERMISSIONS).map(([value, id]) => ({
      adminConsentDescription: PERMISSION_TITLES[value] ?? value,
      adminConsentDisplayName: PERMISSION_TITLES[value] ?? value,
      id,
      isEnabled: true,
      type: 'User',
      userConsentDescription: PERMISSION_TITLES[value] ?? value,
      userConsentDisplayName: PERMISSION_TITLES[value] ?? value,
      value,
    })),
  };
}
