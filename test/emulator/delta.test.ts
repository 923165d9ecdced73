import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, DeltaFollower, truthOf } from './delta-follower.ts';
import {
  startTestEmulator,
  type JsonObject,
  type TestEmulator,
  type TestGraph,
  type TestTenant,
} from './test-emulator.ts';

let emulator: TestEmulator;
let tenant: TestTenant;
let graph: TestGraph;
let count = 0;

const byId = (objects: readonly JsonObject[], id: unknown): JsonObject[] =>
  objects.filter((object) => object['id'] === id);
const change = (method: string, path: string, body?: unknown): Promise<JsonObject> =>
  emulator.control(method, `tenants/${tenant.id}/${path}`, body);

/** A tenant of its own for a test that changes much. */
async function freshTenant(spec: JsonObject = {}): Promise<void> {
  count += 1;
  tenant = await emulator.createConsentedTenant({ domain: `tenant${count}.com`, ...spec });
  graph = await emulator.graph(tenant.id);
}

beforeAll(async () => {
  emulator = await startTestEmulator();
  await freshTenant();
});

afterAll(() => emulator.close());

describe('a first round', () => {
  it('returns every user once over several pages, each with one link only', async () => {
    await freshTenant({ users: 50, settings: { delta: { usersPageSize: 7 } } });
    const { pages, objects } = await graph.round('/users/delta()?$select=id,displayName');
    expect(pages).toHaveLength(8);
    expect(new Set(objects.map((object) => object['id'])).size).toBe(50);
    for (const page of pages) {
      expect(['@odata.nextLink', '@odata.deltaLink'].filter((link) => link in page)).toHaveLength(1);
    }
    expect(new Set(pages.map((page) => page['@odata.nextLink'])).size).toBe(pages.length);
  });

  it('leaves out properties that were never set', async () => {
    const { objects } = await graph.round('/users/delta?$select=id,displayName,employeeLeaveDateTime,mail');
    expect(objects.some((object) => 'employeeLeaveDateTime' in object)).toBe(false);
    expect(objects.some((object) => !('mail' in object))).toBe(true);
    expect(objects.every((object) => object['mail'] !== null)).toBe(true);
  });

  it('does not mention objects that were deleted before it', async () => {
    const user = await change('POST', 'users');
    await change('DELETE', `users/${String(user['id'])}`);
    const { objects } = await graph.round('/users/delta?$select=id');
    expect(byId(objects, user['id'])).toEqual([]);
  });

  it('splits a large group over pages that repeat its properties', async () => {
    await freshTenant({
      users: 40,
      groups: 4,
      memberships: 60,
      settings: { delta: { memberSliceSize: 3, groupsPageSize: 2 } },
    });
    const { pages, objects } = await graph.round('/groups/delta?$select=id,displayName,members');
    const shown = new Map<unknown, JsonObject[]>();
    for (const object of objects) shown.set(object['id'], [...(shown.get(object['id']) ?? []), object]);
    const split = [...shown.values()].filter((appearances) => appearances.length > 1);
    expect(split.length).toBeGreaterThan(0);
    for (const appearances of split) {
      expect(new Set(appearances.map((object) => object['displayName'])).size).toBe(1);
      for (const object of appearances) expect((object['members@delta'] as unknown[]).length).toBeLessThanOrEqual(3);
    }
    for (const page of pages) expect(page.value.length).toBeLessThanOrEqual(2);
    const total = objects.reduce((sum, object) => sum + ((object['members@delta'] ?? []) as unknown[]).length, 0);
    expect(total).toBe((await truthOf(emulator, tenant.id)).memberships.length);
  });

  it('works with pages of one object', async () => {
    await freshTenant({
      users: 8,
      groups: 3,
      settings: { delta: { usersPageSize: 1, groupsPageSize: 1, memberSliceSize: 1 } },
    });
    expect((await graph.round('/users/delta?$select=id')).pages).toHaveLength(8);
    const { pages } = await graph.round('/groups/delta?$select=id,members');
    expect(pages.every((page) => page.value.length === 1)).toBe(true);
  });

  it('gives a token for what comes from now on with $deltatoken=latest', async () => {
    const latest = await graph.page('/users/delta?$deltatoken=latest&$select=id,jobTitle');
    expect(latest.value).toEqual([]);
    const user = await change('POST', 'users', { jobTitle: 'New' });
    const { objects } = await graph.round(String(latest['@odata.deltaLink']));
    expect(objects).toEqual([{ id: user['id'], jobTitle: 'New' }]);
  });

  it('follows up to 50 ids of a filter and refuses more, and every other filter', async () => {
    const [first, second] = tenant.accounts;
    const filter = `id eq '${first?.id}' or id eq '${second?.id}'`;
    const { objects, deltaLink } = await graph.round(
      `/users/delta?$select=id,jobTitle&$filter=${encodeURIComponent(filter)}`,
    );
    expect(objects.map((object) => object['id'])).toEqual([first?.id, second?.id]);
    await change('POST', 'users');
    await change('PATCH', `users/${first?.id}`, { jobTitle: 'Filtered' });
    expect((await graph.round(deltaLink)).objects).toEqual([{ id: first?.id, jobTitle: 'Filtered' }]);
    const many = Array.from({ length: 51 }, () => `id eq '${first?.id}'`).join(' or ');
    expect(await graph.refusal(`/users/delta?$filter=${encodeURIComponent(many)}`)).toMatchObject({ status: 400 });
    expect(await graph.refusal("/users/delta?$filter=userType eq 'Guest'")).toMatchObject({
      code: 'Request_UnsupportedQuery',
    });
  });

  it.each(['$top=5', '$orderby=displayName', '$expand=manager', '$search="displayName:a"'])(
    'refuses %s',
    async (option) => {
      expect(await graph.refusal(`/users/delta?${option}`)).toMatchObject({
        status: 400,
        code: 'Request_UnsupportedQuery',
      });
    },
  );
});

describe('a round of changes', () => {
  beforeAll(() => freshTenant());

  it('says nothing when nothing happened', async () => {
    const { deltaLink } = await graph.round('/users/delta?$select=id,displayName');
    const { objects, deltaLink: next } = await graph.round(deltaLink);
    expect(objects).toEqual([]);
    expect(next).not.toBe(deltaLink);
  });

  it('reports an update, with null for what was cleared, and only of selected properties', async () => {
    const user = await change('POST', 'users', { jobTitle: 'Before', department: 'Sales' });
    const { deltaLink } = await graph.round('/users/delta?$select=id,jobTitle,accountEnabled');
    await change('PATCH', `users/${String(user['id'])}`, { department: 'Elsewhere' });
    const quiet = await graph.round(deltaLink);
    expect(quiet.objects).toEqual([]);
    await change('PATCH', `users/${String(user['id'])}`, { jobTitle: null, accountEnabled: false });
    const { objects } = await graph.round(quiet.deltaLink);
    expect(objects).toEqual([{ id: user['id'], jobTitle: null, accountEnabled: false }]);
  });

  it('sends unchanged properties too, unless the minimal form is asked for', async () => {
    const user = await change('POST', 'users', { jobTitle: 'Before', department: 'Sales' });
    const { deltaLink } = await graph.round('/users/delta?$select=id,jobTitle,department');
    await change('PATCH', `users/${String(user['id'])}`, { jobTitle: 'After' });
    expect((await graph.round(deltaLink)).objects).toEqual([
      { id: user['id'], jobTitle: 'After', department: 'Sales' },
    ]);
    const minimal = await graph.get(deltaLink, { Prefer: 'return=minimal' });
    expect(minimal.headers.get('preference-applied')).toBe('return=minimal');
    expect(await minimal.json()).toMatchObject({ value: [{ id: user['id'], jobTitle: 'After' }] });
  });

  it('shows what is new in part where it is told to, and whole to whoever asks by id', async () => {
    await change('PATCH', 'settings', { chaos: { firstInPart: 1 } });
    const { deltaLink } = await graph.round('/users/delta?$select=id,displayName,jobTitle,userPrincipalName');
    const user = await change('POST', 'users', { jobTitle: 'Clerk', displayName: 'Ada' });
    const { id, userPrincipalName } = user;
    const told = await graph.round(deltaLink);
    expect(told.objects).toHaveLength(1);
    expect(Object.keys(told.objects[0] ?? {})).toHaveLength(2);
    const whole = { id, displayName: 'Ada', jobTitle: 'Clerk', userPrincipalName };
    const byItsId = `$select=id,displayName,jobTitle,userPrincipalName&$filter=id eq '${String(id)}'`;
    expect((await graph.round(`/users/delta?${byItsId}`)).objects).toEqual([whole]);
    await change('PATCH', `users/${String(id)}`, { jobTitle: 'Baker' });
    expect((await graph.round(told.deltaLink)).objects).toEqual([{ ...whole, jobTitle: 'Baker' }]);
    await change('PATCH', 'settings', { chaos: { firstInPart: 0 } });
  });

  it('tells soft deletion, restoration and purge apart', async () => {
    const user = await change('POST', 'users', { jobTitle: 'Phoenix' });
    const id = String(user['id']);
    let { deltaLink } = await graph.round('/users/delta?$select=id,jobTitle');
    const next = async (): Promise<JsonObject[]> => {
      const round = await graph.round(deltaLink);
      deltaLink = round.deltaLink;
      return round.objects;
    };
    await change('DELETE', `users/${id}`);
    expect(await next()).toEqual([{ id, '@removed': { reason: 'changed' } }]);
    await change('POST', `users/${id}/restore`);
    expect(await next()).toEqual([{ id, jobTitle: 'Phoenix' }]);
    await change('DELETE', `users/${id}`);
    await change('POST', `users/${id}/purge`);
    expect(await next()).toEqual([{ id, '@removed': { reason: 'deleted' } }]);
  });

  it('reports members added and removed with id and type alone', async () => {
    const group = await change('POST', 'groups');
    const groupId = String(group['id']);
    const [first, second] = tenant.accounts;
    await change('POST', `groups/${groupId}/members`, { ids: [first?.id] });
    const { deltaLink } = await graph.round('/groups/delta?$select=id,members');
    await change('DELETE', `groups/${groupId}/members/${first?.id}`);
    await change('POST', `groups/${groupId}/members`, { ids: [second?.id] });
    const { objects } = await graph.round(deltaLink);
    expect(objects).toEqual([
      {
        id: groupId,
        'members@delta': [
          { '@odata.type': '#microsoft.graph.user', id: first?.id, '@removed': { reason: 'deleted' } },
          { '@odata.type': '#microsoft.graph.user', id: second?.id },
        ],
      },
    ]);
    expect((await graph.round('/users/delta?$select=id&$deltatoken=latest')).objects).toEqual([]);
  });

  it('keeps silent about memberships of a soft-deleted user until the purge', async () => {
    const group = String((await change('POST', 'groups'))['id']);
    const user = String((await change('POST', 'users'))['id']);
    await change('POST', `groups/${group}/members`, { ids: [user] });
    const { deltaLink } = await graph.round('/groups/delta?$select=id,members');
    await change('DELETE', `users/${user}`);
    const silent = await graph.round(deltaLink);
    expect(silent.objects).toEqual([]);
    expect(byId(await graph.all(`/groups/${group}/members?$select=id`), user)).toEqual([]);
    const { objects: initial } = await graph.round('/groups/delta?$select=id,members');
    expect(JSON.stringify(byId(initial, group))).not.toContain(user);
    await change('POST', `users/${user}/purge`);
    const { objects } = await graph.round(silent.deltaLink);
    expect(objects).toEqual([
      {
        id: group,
        'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: user, '@removed': { reason: 'deleted' } }],
      },
    ]);
  });

  it('removes a group for good when its kind is not kept, and lists the members of a restored one again', async () => {
    const mailGroup = String((await change('POST', 'groups', { mailEnabled: true }))['id']);
    const unified = String((await change('POST', 'groups', { mailEnabled: true, groupTypes: ['Unified'] }))['id']);
    const [member] = tenant.accounts;
    await change('POST', `groups/${unified}/members`, { ids: [member?.id] });
    const { deltaLink } = await graph.round('/groups/delta?$select=id,members');
    await change('DELETE', `groups/${mailGroup}`);
    await change('DELETE', `groups/${unified}`);
    const gone = await graph.round(deltaLink);
    expect(gone.objects).toEqual([
      { id: mailGroup, '@removed': { reason: 'deleted' } },
      { id: unified, '@removed': { reason: 'changed' } },
    ]);
    await change('POST', `groups/${unified}/restore`);
    const { objects } = await graph.round(gone.deltaLink);
    expect(objects).toEqual([
      { id: unified, 'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: member?.id }] },
    ]);
  });

  it('reports a manager that changed or went', async () => {
    const [admin, , , member] = tenant.accounts;
    await change('PUT', `users/${member?.id}/manager`, { managerId: null });
    const { deltaLink } = await graph.round('/users/delta?$select=id,manager');
    await change('PUT', `users/${member?.id}/manager`, { managerId: admin?.id });
    const set = await graph.round(deltaLink);
    expect(set.objects).toEqual([
      { id: member?.id, 'manager@delta': [{ '@odata.type': '#microsoft.graph.user', id: admin?.id }] },
    ]);
    await change('PUT', `users/${member?.id}/manager`, { managerId: null });
    expect((await graph.round(set.deltaLink)).objects).toEqual([
      {
        id: member?.id,
        'manager@delta': [{ '@odata.type': '#microsoft.graph.user', id: admin?.id, '@removed': { reason: 'deleted' } }],
      },
    ]);
  });

  it('takes token names in any case', async () => {
    const { deltaLink } = await graph.round('/users/delta?$select=id');
    expect((await graph.get(deltaLink.replace('$deltatoken', '$deltaToken'))).status).toBe(200);
  });
});

describe('a client that follows the documentation', () => {
  const untidy = {
    emptyPage: 0.3,
    replay: 0.6,
    duplicate: 0.2,
    olderVersion: 0.4,
    removedInFirstRound: 0.3,
    shuffle: true,
  };
  const cases: readonly (readonly [string, JsonObject, Record<string, string>])[] = [
    ['tidy pages', {}, {}],
    ['the minimal form', {}, { Prefer: 'return=minimal' }],
    ['untidy pages', { chaos: { seed: 11, ...untidy } }, {}],
    [
      'untidy pages in a minimal form that nobody asked for',
      { chaos: { seed: 12, ...untidy, unaskedMinimal: true } },
      {},
    ],
  ];

  it.each(cases)('ends with the truth after every round of random changes: %s', async (_, settings, headers) => {
    await freshTenant({
      users: 60,
      groups: 15,
      memberships: 200,
      settings: { ...settings, delta: { usersPageSize: 9, groupsPageSize: 4, memberSliceSize: 5, membersPerPage: 12 } },
    });
    const check = async (follower: DeltaFollower): Promise<void> => {
      await follower.sync();
      const truth = await truthOf(emulator, tenant.id);
      expect(completed(follower.users, truth.users)).toEqual(truth.users);
      expect(completed(follower.groups, truth.groups)).toEqual(truth.groups);
      expect(follower.memberships()).toEqual(truth.memberships);
    };
    const follower = new DeltaFollower(graph, headers);
    for (let round = 0; round < 12; round += 1) {
      await check(follower);
      await change('POST', 'mutate', { count: 40, seed: 100 + round });
    }
    // A first round over the changed directory, with its deleted objects, must end with the same.
    await check(new DeltaFollower(graph, headers));
  });

  it('ends with the truth although the directory changes while it reads', async () => {
    await freshTenant({
      users: 60,
      groups: 15,
      memberships: 200,
      settings: { delta: { usersPageSize: 6, groupsPageSize: 2, memberSliceSize: 4 } },
    });
    const follower = new DeltaFollower(graph);
    // Groups are neither deleted nor restored meanwhile: what a restored group lists is not documented.
    const only = ['updateUser', 'createUser', 'deleteUser', 'restoreUser', 'purgeUser', 'addMember', 'removeMember'];
    await follower.sync();
    for (let round = 0; round < 6; round += 1) {
      await change('POST', 'mutate', { count: 30, seed: 500 + round, only });
      const mutations = Promise.all(
        Array.from({ length: 8 }, (_, i) => change('POST', 'mutate', { count: 5, seed: 900 + round * 10 + i, only })),
      );
      await Promise.all([follower.sync(), mutations]);
      await follower.sync();
      const truth = await truthOf(emulator, tenant.id);
      expect(completed(follower.users, truth.users)).toEqual(truth.users);
      expect(follower.memberships()).toEqual(truth.memberships);
    }
  });
});
