import type { ObjectRef } from '../directory/object-ref.ts';
import { kindOf } from '../directory/object-ref.ts';
import { DEFAULT_CLIENT_ID, type AppRegistration } from '../registrations.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { ControlError } from './control-error.ts';
import { found } from './object-routes.ts';
import { assignmentSchema, clientSchema, consentSchema, principalSchema, roleSchema } from './schemas.ts';

/** `/_emulator/tenants/{tid}/app…`: what an administrator does with an enterprise application, without a browser. */
export function principalRoute(world: World, tenant: Tenant, action: string, body: unknown): unknown {
  const { directory, grants } = tenant;
  switch (action) {
    case 'consent': {
      const { clientId, permissions, delayMs } = consentSchema.parse(body);
      const registration = registered(world, clientId);
      grants.consent(registration, delayMs ?? tenant.settings.consentDelayMs, permissions);
      return stateOf(tenant, registration.clientId);
    }
    case 'revoke': {
      // Deletes the enterprise application; it stays in the deleted items and can be restored.
      const { clientId } = clientSchema.parse(body);
      directory.delete(present(tenant, clientId));
      return stateOf(tenant, clientId);
    }
    case 'restore': {
      const { clientId = DEFAULT_CLIENT_ID } = clientSchema.parse(body);
      for (const ref of directory.withStatus('servicePrincipal', 'softDeleted')) {
        if (directory.record(ref)['appId'] === clientId.toLowerCase()) directory.restore(ref);
      }
      return stateOf(tenant, clientId);
    }
    case 'settings': {
      const { clientId, ...patch } = principalSchema.parse(body);
      directory.update(present(tenant, clientId), {
        ...(patch.accountEnabled === undefined ? {} : { accountEnabled: patch.accountEnabled }),
        ...(patch.appRoleAssignmentRequired === undefined
          ? {}
          : { appRoleAssignmentRequired: patch.appRoleAssignmentRequired }),
      });
      return stateOf(tenant, clientId);
    }
    case 'roles/add':
    case 'roles/remove': {
      const { clientId, permission } = roleSchema.parse(body);
      const ref = present(tenant, clientId);
      if (action === 'roles/add') grants.grantRole(ref, permission);
      else grants.removeRole(ref, permission);
      return stateOf(tenant, clientId);
    }
    case 'assign':
    case 'unassign': {
      const { clientId, principalId } = assignmentSchema.parse(body);
      const principal = found(directory, principalId);
      const type = kindOf(principal) === 'group' ? 'Group' : 'User';
      if (action === 'assign') grants.assignToApp(present(tenant, clientId), principal, type);
      else grants.unassignFromApp(present(tenant, clientId), principal);
      return stateOf(tenant, clientId);
    }
    default:
      throw new ControlError(404, `no such action: ${action}`);
  }
}

export function stateOf(tenant: Tenant, clientId = DEFAULT_CLIENT_ID): unknown {
  const state = tenant.grants.state(clientId);
  if (state.kind === 'absent') return { clientId, present: false };
  const { ref, enabled, roles } = state;
  return { clientId, present: true, id: tenant.directory.idOf(ref), accountEnabled: enabled, roles };
}

function registered(world: World, clientId = DEFAULT_CLIENT_ID): AppRegistration {
  const registration = world.registration(clientId);
  if (registration === undefined) throw new ControlError(404, `no app registration ${clientId}`);
  return registration;
}

function present(tenant: Tenant, clientId = DEFAULT_CLIENT_ID): ObjectRef {
  const ref = tenant.grants.principalOf(clientId);
  if (ref === undefined) throw new ControlError(409, `${clientId} has no service principal in ${tenant.domain}`);
  return ref;
}
