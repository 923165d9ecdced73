import type { JsonObject, TestEmulator, TestGraph } from './test-emulator.ts';

const USER_SELECT =
  'id,userPrincipalName,displayName,givenName,surname,mail,mailNickname,otherMails,proxyAddresses,accountEnabled,userType,externalUserState,jobTitle,department,companyName,employeeId,officeLocation,usageLocation,preferredLanguage,createdDateTime,onPremisesSyncEnabled';
const GROUP_SELECT =
  'id,displayName,description,mail,mailNickname,mailEnabled,securityEnabled,groupTypes,visibility,isAssignableToRole,onPremisesSyncEnabled,members';

interface Entry extends JsonObject {
  readonly id: string;
  readonly '@removed'?: { readonly reason: string };
}

/**
 * The simplest client that does what the pages on delta query say: keys that are present are merged, null clears, what is
 * absent stays, `@removed` removes. It shares no code with the product, so the emulator is not judged by what it serves.
 */
export class DeltaFollower {
  readonly #graph: TestGraph;
  readonly #headers: Record<string, string>;
  readonly #links = { users: `/users/delta?$select=${USER_SELECT}`, groups: `/groups/delta?$select=${GROUP_SELECT}` };
  readonly users = new Map<string, JsonObject>();
  readonly groups = new Map<string, JsonObject>();
  readonly #members = new Map<string, Map<string, string>>();

  constructor(graph: TestGraph, headers: Record<string, string> = {}) {
    this.#graph = graph;
    this.#headers = headers;
  }

  async sync(): Promise<void> {
    const restored = new Set<string>();
    for (const resource of ['users', 'groups'] as const) {
      const { objects, deltaLink } = await this.#graph.round(this.#links[resource], this.#headers);
      this.#links[resource] = deltaLink;
      for (const object of objects as Entry[]) {
        const isNew = this.#apply(resource, object);
        if (isNew) restored.add(object.id);
      }
    }
    // Graph says nothing of a restored member's memberships; the only way to learn those that were set up while it was
    // unknown to us is to ask.
    for (const id of restored) await this.#readGroupsOf(id);
  }

  /** The memberships between a group that is there and a member that is not deleted, as far as the feeds can tell. */
  memberships(): string[] {
    const result: string[] = [];
    for (const [group, members] of this.#members) {
      if (!this.groups.has(group)) continue;
      for (const [member, type] of members) {
        const known = type === 'user' ? this.users.has(member) : type === 'group' ? this.groups.has(member) : true;
        if (known) result.push(`${group} ${member} ${type}`);
      }
    }
    return result.toSorted();
  }

  /** True when an object appeared that was not known before. */
  #apply(resource: 'users' | 'groups', entry: Entry): boolean {
    const rows = this[resource];
    if (entry['@removed'] !== undefined) {
      rows.delete(entry.id);
      // A group that comes back lists its members anew, so what was known of them goes with it.
      this.#members.delete(entry.id);
      return false;
    }
    const known = rows.get(entry.id);
    const { 'members@delta': members, ...properties } = entry;
    rows.set(entry.id, { ...known, ...properties });
    for (const member of (members ?? []) as Entry[]) this.#applyMember(entry.id, member);
    return known === undefined;
  }

  #applyMember(group: string, member: Entry): void {
    const members = this.#members.get(group) ?? new Map<string, string>();
    this.#members.set(group, members);
    if (member['@removed'] === undefined)
      members.set(member.id, String(member['@odata.type']).replace('#microsoft.graph.', ''));
    else members.delete(member.id);
  }

  async #readGroupsOf(id: string): Promise<void> {
    const kind = this.users.has(id) ? 'user' : 'group';
    const response = await this.#graph.get(`/${kind}s/${id}/memberOf?$select=id&$top=999`);
    if (!response.ok) return;
    const { value } = (await response.json()) as { value: { id: string }[] };
    for (const group of value) this.#applyMember(group.id, { id, '@odata.type': `#microsoft.graph.${kind}` });
  }
}

/** What the control API says is true, in the form in which the follower has it. */
export async function truthOf(
  emulator: TestEmulator,
  tenantId: string,
): Promise<{ users: Map<string, JsonObject>; groups: Map<string, JsonObject>; memberships: string[] }> {
  const truth = (await emulator.control('GET', `tenants/${tenantId}/truth`)) as Record<string, JsonObject[]>;
  const byId = (rows: JsonObject[] | undefined): Map<string, JsonObject> =>
    new Map((rows ?? []).map((row) => [String(row['id']), row]));
  const memberships = (truth['memberships'] ?? []).map(
    (m) => `${String(m['groupId'])} ${String(m['memberId'])} ${String(m['memberType'])}`,
  );
  return { users: byId(truth['users']), groups: byId(truth['groups']), memberships: memberships.toSorted() };
}

/** A row with null for what was never set: delta leaves it out. */
export function completed(
  rows: ReadonlyMap<string, JsonObject>,
  like: ReadonlyMap<string, JsonObject>,
): Map<string, JsonObject> {
  const result = new Map<string, JsonObject>();
  for (const [id, row] of rows) {
    const names = Object.keys(like.get(id) ?? row);
    result.set(
      id,
      Object.fromEntries(names.map((name) => [name, row[name] ?? (Array.isArray(like.get(id)?.[name]) ? [] : null)])),
    );
  }
  return result;
}
