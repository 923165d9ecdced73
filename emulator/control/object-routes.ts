import type { DirectoryRecord, Json } from '../directory/directory-record.ts';
import type { Directory } from '../directory/directory.ts';
import { kindOf, type ObjectKind, type ObjectRef } from '../directory/object-ref.ts';
import { DIRECTORY_ROLES } from '../permissions.ts';
import type { Tenant } from '../tenant.ts';
import { ControlError } from './control-error.ts';
import { directoryRolesSchema, managerSchema, membersSchema, objectSchema, patchSchema } from './schemas.ts';

const KINDS: Readonly<Record<string, ObjectKind>> = {
  users: 'user',
  groups: 'group',
  devices: 'device',
  servicePrincipals: 'servicePrincipal',
  contacts: 'orgContact',
};

/** `/_emulator/tenants/{tid}/users…` and the like: changes to the directory, as its administrators would make them. */
export function objectRoute(tenant: Tenant, method: string, path: readonly string[], body: unknown): unknown {
  const [set = '', id, action, memberId] = path;
  const kind = KINDS[set];
  if (kind === undefined) throw new ControlError(404, `no such collection: ${set}`);
  const { directory } = tenant;
  if (id === undefined) {
    if (method !== 'POST') throw new ControlError(405, 'POST creates; read the directory with /truth');
    const { id: wanted, ...properties } = objectSchema.parse(body);
    const ref = directory.create(kind, { ...defaultsOf(tenant, kind), ...toJson(properties) }, wanted);
    return shown(directory, ref);
  }
  const ref = found(directory, id, kind);
  switch (`${method} ${action ?? ''}`) {
    case 'GET ':
      return shown(directory, ref);
    case 'PATCH ':
      return { changed: directory.update(ref, toJson(patchSchema.parse(body))), ...shown(directory, ref) };
    case 'DELETE ':
      directory.delete(ref);
      return shown(directory, ref);
    case 'POST purge':
      directory.purge(ref);
      return shown(directory, ref);
    case 'POST restore':
      if (!directory.restore(ref)) throw new ControlError(409, `${id} is not soft-deleted`);
      return shown(directory, ref);
    case 'PUT manager': {
      const { managerId } = managerSchema.parse(body);
      directory.setManager(ref, managerId === null ? undefined : found(directory, managerId, 'user'));
      return shown(directory, ref);
    }
    case 'PUT roles': {
      const { roles } = directoryRolesSchema.parse(body);
      tenant.setRoles(
        ref,
        roles.map((role) => DIRECTORY_ROLES[role]),
      );
      return { roles: tenant.rolesOf(ref) };
    }
    case 'POST members':
      return { changed: membersOf(body).filter((member) => directory.addMember(ref, found(directory, member))) };
    case 'DELETE members': {
      const members = memberId === undefined ? membersOf(body) : [memberId];
      return { changed: members.filter((member) => directory.removeMember(ref, found(directory, member))) };
    }
    default:
      throw new ControlError(404, `nothing to do for ${method} ${path.join('/')}`);
  }
}

function membersOf(body: unknown): readonly string[] {
  return membersSchema.parse(body).ids;
}

export function found(directory: Directory, id: string, kind?: ObjectKind): ObjectRef {
  const ref = directory.find(id);
  if (ref === undefined || (kind !== undefined && kindOf(ref) !== kind))
    throw new ControlError(404, `no ${kind ?? 'object'} ${id}`);
  return ref;
}

function shown(directory: Directory, ref: ObjectRef): Record<string, unknown> & DirectoryRecord {
  return { ...directory.record(ref), status: directory.status(ref) };
}

/** What Graph demands of a new object, so that a test needs to say only what it is about. */
function defaultsOf(tenant: Tenant, kind: ObjectKind): Record<string, Json> {
  const name = `made${tenant.directory.size(kind)}`;
  if (kind === 'user') {
    const account = { userPrincipalName: `${name}@${tenant.domain}`, mailNickname: name, accountEnabled: true };
    return { displayName: name, userType: 'Member', businessPhones: [], ...account };
  }
  if (kind === 'group') {
    return { displayName: name, mailNickname: name, mailEnabled: false, securityEnabled: true, groupTypes: [] };
  }
  return { displayName: name };
}

/** The body was JSON, so every value in it is. */
function toJson(properties: Readonly<Record<string, unknown>>): Record<string, Json> {
  return patchSchema.parse(properties);
}
