import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScopePreviewer } from '../../src/api/scope-preview.ts';
import { scopeOf, type ScopeSettings } from '../../src/domain/scope.ts';
import { tablesWith } from '../store/everywhere.ts';
import { EmulatedDirectories, type EmulatedTenant, type Truth } from './emulated-tenant.ts';

let all: EmulatedDirectories;

beforeAll(async () => {
  all = await EmulatedDirectories.open();
}, 240_000);
afterAll(() => all.close());

const SIZE = { users: 120, groups: 12, memberships: 260, nestedCycles: 1, guests: 0.2, disabled: 0.2, devices: 3 };

const CHANGES = [
  'updateUser',
  'clearUserProperty',
  'disableUser',
  'enableUser',
  'createUser',
  'deleteUser',
  'restoreUser',
  'purgeUser',
  'updateGroup',
  'createGroup',
  'deleteGroup',
  'restoreGroup',
  'addMember',
  'removeMember',
];

const idsOf = (things: readonly { readonly id: string }[]) => things.map(({ id }) => id).sort();
const keysOf = ({ memberships }: Truth) => memberships.map(({ groupId, memberId }) => `${groupId}:${memberId}`).sort();

/** What of a directory a scope lets in, said another way than the product says it. */
function restricted(
  truth: Truth,
  roots: readonly string[] | null,
  scope: ScopeSettings,
  assigned: readonly string[] = [],
) {
  const { nested = false, assignedOnly = false, guests = true, disabled = true } = scope;
  const groups = new Set(roots ?? idsOf(truth.groups));
  const nestings = nested ? truth.memberships.filter(({ memberType }) => memberType === 'group') : [];
  // As often as there are groups: a chain cannot be longer.
  for (const _ of truth.groups) for (const m of nestings) if (groups.has(m.groupId)) groups.add(m.memberId);
  const members = new Set(truth.memberships.filter(({ groupId }) => groups.has(groupId)).map((m) => m.memberId));
  const users = truth.users.filter(
    (user) =>
      (roots === null || members.has(user.id)) &&
      (!assignedOnly || assigned.includes(user.id)) &&
      (guests || user['userType'] !== 'Guest') &&
      (disabled || user['accountEnabled'] !== false),
  );
  const known = new Set([...idsOf(users), ...idsOf(truth.groups.filter(({ id }) => groups.has(id)))]);
  const memberships = truth.memberships.filter(
    ({ groupId, memberId, memberType }) =>
      groups.has(groupId) && (!['user', 'group'].includes(memberType) || known.has(memberId)),
  );
  return { users, groups: truth.groups.filter(({ id }) => groups.has(id)), memberships };
}

async function expectScope(
  tenant: EmulatedTenant,
  roots: readonly string[] | null,
  scope: ScopeSettings,
  assigned?: readonly string[],
): Promise<void> {
  const wanted = restricted(await tenant.truth(), roots, scope, assigned);
  const mirror = await tenant.mirror();
  expect(idsOf(mirror.users)).toEqual(idsOf(wanted.users));
  expect(idsOf(mirror.groups)).toEqual(idsOf(wanted.groups));
  expect(keysOf(mirror)).toEqual(keysOf(wanted));
  const { counts } = (await all.backend.store.tenants.byNo(tenant.no)) ?? {};
  expect(counts).toEqual({
    users: wanted.users.length,
    groups: wanted.groups.length,
    memberships: wanted.memberships.length,
  });
}

const set = (tenant: EmulatedTenant, groupsToSync: readonly string[] | undefined, scope?: ScopeSettings) =>
  all.backend.store.tenants.update(tenant.no, { ...(groupsToSync && { groupsToSync }), ...(scope && { scope }) });

describe.each<ScopeSettings>([{}, { nested: true }, { nested: true, guests: false, disabled: false }])(
  'a tenant with groups to sync and %j',
  (scope) => {
    let tenant: EmulatedTenant;
    let roots: readonly string[];

    beforeAll(async () => {
      tenant = await all.tenant(SIZE);
      // Those with a nested group among them.
      const { memberships, groups } = await tenant.truth();
      const parents = memberships.filter(({ memberType }) => memberType === 'group').map(({ groupId }) => groupId);
      roots = [...new Set([...parents, ...idsOf(groups)])].slice(0, 3);
      await set(tenant, roots, scope);
    });

    it('imports these groups, their memberships and members, and nobody else', async () => {
      expect((await tenant.round()).unresolvedGroups).toBeUndefined();
      await expectScope(tenant, roots, scope);
    });

    it.each([1, 2, 3, 4])('comes to the truth over changes of the directory: %d', async (seed) => {
      await tenant.control('POST', '/mutate', { count: 60, seed, only: CHANGES });
      await tenant.round(seed === 3 ? 'full' : 'delta');
      await expectScope(tenant, roots, scope);
    });

    it('takes up another scope by delta rounds alone, and gives up a scope by a full one', async () => {
      const { groups } = await tenant.truth();
      const others = idsOf(groups).slice(-4);
      for (const next of [{ guests: false }, { nested: true }, { disabled: false, nested: true }, {}]) {
        await set(tenant, others, next);
        expect((await tenant.round()).kind).toBe('delta');
        await expectScope(tenant, others, next);
      }
      await set(tenant, []);
      expect((await tenant.round()).kind).toBe('full');
      await expectScope(tenant, null, {});
      expect(new Set((await tenant.told()).map((line) => line.split(' ')[2] ?? ''))).toEqual(new Set(['scope', '']));
      await tenant.control('POST', '/mutate', { count: 60, seed: 9, only: CHANGES });
      await tenant.round();
      await expectScope(tenant, null, {});
      await set(tenant, roots, scope);
      expect((await tenant.round()).kind).toBe('delta');
      await expectScope(tenant, roots, scope);
    });
  },
);

describe('people', () => {
  it('who join a group to sync are fetched, whole, and leave the mirror with the last membership', async () => {
    const tenant = await all.tenant({ users: 10, groups: 0, memberships: 0 });
    const sales = await tenant.make('groups', { displayName: 'Sales' });
    const other = await tenant.make('groups', { displayName: 'Other' });
    const [joiner, leaver] = [
      await tenant.make('users', { displayName: 'Joan Joiner', jobTitle: 'Seller' }),
      await tenant.make('users', { displayName: 'Leo Leaver' }),
    ];
    await tenant.join(sales, leaver);
    await tenant.join(other, joiner, leaver);
    await set(tenant, ['sales']);
    await tenant.round();
    expect(idsOf((await tenant.mirror()).users)).toEqual([leaver]);
    // What is said of somebody who is not mirrored leaves no trace.
    await tenant.control('PATCH', `/users/${joiner}`, { jobTitle: 'Astronaut' });
    await tenant.round();
    expect(await tenant.told()).toEqual([]);
    expect(await tablesWith(all.backend.db, 'Astronaut')).toEqual([]);

    await tenant.join(sales, joiner);
    await tenant.leave(sales, leaver);
    await tenant.round();
    expect((await tenant.mirror()).users).toMatchObject([{ id: joiner, jobTitle: 'Astronaut', accountEnabled: true }]);
    expect((await tenant.told()).filter((line) => !line.startsWith('sync'))).toEqual([
      `user.created ${joiner} scope`,
      `membership.added ${sales}:${joiner} scope`,
      `membership.removed ${sales}:${leaver} directory`,
      `user.deleted ${leaver} scope`,
    ]);
    expect(await tablesWith(all.backend.db, 'Leo Leaver')).toEqual([]);
    // The group keeps its place under another name.
    await tenant.control('PATCH', `/groups/${sales}`, { displayName: 'Field sales' });
    expect((await tenant.round()).unresolvedGroups).toBeUndefined();
    expect((await tenant.mirror()).groups).toMatchObject([{ id: sales, displayName: 'Field sales' }]);
  });

  it('whom a filter keeps out come and go with what the directory says of them', async () => {
    const tenant = await all.tenant({ users: 0, groups: 0, memberships: 0 });
    const group = await tenant.make('groups');
    const [guest, member] = [await tenant.make('users', { userType: 'Guest' }), await tenant.make('users')];
    await tenant.join(group, guest, member);
    const scope = { guests: false, disabled: false };
    await set(tenant, [group], scope);
    await tenant.round();
    await expectScope(tenant, [group], scope);
    await tenant.control('PATCH', `/users/${guest}`, { userType: 'Member' });
    await tenant.control('PATCH', `/users/${member}`, { accountEnabled: false });
    await tenant.round();
    await expectScope(tenant, [group], scope);
    expect(await tenant.told()).toEqual(
      expect.arrayContaining([`user.created ${guest} scope`, `user.deleted ${member} scope`]),
    );
    await tenant.control('PATCH', `/users/${member}`, { accountEnabled: true });
    await tenant.control('DELETE', `/users/${guest}`);
    await tenant.round();
    await expectScope(tenant, [group], scope);
    await tenant.control('POST', `/users/${guest}/restore`);
    await tenant.round();
    await expectScope(tenant, [group], scope);
  });

  it('of a group that is deleted go with it, and come back with it', async () => {
    const tenant = await all.tenant({ users: 8, groups: 0, memberships: 0 });
    const group = await tenant.make('groups', { displayName: 'Fleeting' });
    const people = idsOf((await tenant.truth()).users).slice(0, 5);
    await tenant.join(group, ...people);
    await set(tenant, ['Fleeting']);
    await tenant.round();
    await expectScope(tenant, [group], {});
    await tenant.control('DELETE', `/groups/${group}`);
    expect((await tenant.round()).unresolvedGroups).toBe(1);
    expect(await tenant.mirror()).toEqual({ users: [], groups: [], memberships: [] });
    await tenant.control('POST', `/groups/${group}/restore`);
    expect((await tenant.round()).unresolvedGroups).toBeUndefined();
    await expectScope(tenant, [group], {});
  });
});

describe('people assigned to the application', () => {
  it('are those who are assigned, and the direct members of assigned groups', async () => {
    const tenant = await all.tenant({ ...SIZE, guests: 0 });
    const { users, groups } = await tenant.truth();
    const [direct = '', second = '', third = ''] = idsOf(users);
    const assigned = await tenant.make('groups', { displayName: 'Assigned' });
    await tenant.join(assigned, second, idsOf(groups)[0] ?? '');
    await tenant.control('POST', '/app/assign', { principalId: direct });
    await tenant.control('POST', '/app/assign', { principalId: assigned });
    const scope = { assignedOnly: true };
    await set(tenant, undefined, scope);
    await tenant.round();
    await expectScope(tenant, null, scope, [direct, second]);

    await tenant.join(assigned, third);
    await tenant.leave(assigned, second);
    await tenant.round();
    await expectScope(tenant, null, scope, [direct, third]);

    await tenant.control('POST', '/app/unassign', { principalId: direct });
    await tenant.control('POST', '/app/assign', { principalId: second });
    await tenant.round();
    await expectScope(tenant, null, scope, [second, third]);

    await tenant.round('full');
    await expectScope(tenant, null, scope, [second, third]);
    await tenant.control('DELETE', `/groups/${assigned}`);
    await tenant.round();
    await expectScope(tenant, null, scope, [second]);
  });
});

describe('an entry of the groups to sync', () => {
  it('that fits none or several is told with what it may mean, and found as soon as it fits one', async () => {
    const tenant = await all.tenant({ users: 6, groups: 0, memberships: 0 });
    const people = idsOf((await tenant.truth()).users);
    const twins = [
      await tenant.make('groups', { displayName: "Driver's Club" }),
      await tenant.make('groups', { displayName: "Driver's Club" }),
    ];
    const plain = await tenant.make('groups', { displayName: 'Plain' });
    await tenant.join(plain, people[0] ?? '');
    await set(tenant, ["driver's club", 'Nobody', 'plain', '00000000-0000-4000-8000-0000000000ff']);
    expect((await tenant.round()).unresolvedGroups).toBe(3);
    await expectScope(tenant, [plain], {});
    const groups = (await all.backend.store.tenants.byNo(tenant.no))?.scopeGroups ?? [];
    expect(
      Object.fromEntries(groups.map((group) => [group.entry, [group.groupId, ...idsOf(group.candidates)]])),
    ).toEqual({
      '00000000-0000-4000-8000-0000000000ff': [null],
      "driver's club": [null, ...idsOf(twins.map((id) => ({ id })))],
      Nobody: [null],
      plain: [plain],
    });

    await tenant.control('DELETE', `/groups/${twins[1]}`);
    await tenant.make('groups', { displayName: 'Nobody', id: '00000000-0000-4000-8000-0000000000ff' });
    await tenant.join(twins[0] ?? '', people[1] ?? '');
    expect((await tenant.round()).unresolvedGroups).toBeUndefined();
    await expectScope(tenant, [plain, twins[0] ?? '', '00000000-0000-4000-8000-0000000000ff'], {});
  });

  it('of a list that fits nothing at all drops nobody', async () => {
    const tenant = await all.tenant({ users: 6, groups: 2, memberships: 6 });
    await tenant.round();
    const before = await tenant.mirror();
    await set(tenant, ['A slip of the pen']);
    expect((await tenant.round()).unresolvedGroups).toBe(1);
    expect(await tenant.mirror()).toEqual(before);
    await set(tenant, []);
    await tenant.round();
    expect(await tenant.mirror()).toEqual(before);
  });
});

describe('the guard', () => {
  it('weighs who leaves by the directory, and lets pass what the operator takes out', async () => {
    const tenant = await all.tenant({ users: 60, groups: 0, memberships: 0 });
    const [a, b] = [await tenant.make('groups'), await tenant.make('groups')];
    const people = idsOf((await tenant.truth()).users);
    await tenant.join(a, ...people.slice(0, 50));
    await tenant.join(b, ...people.slice(40));
    await tenant.round();
    await set(tenant, [a]);
    expect(await tenant.round()).not.toHaveProperty('heldSince');
    await expectScope(tenant, [a], {});
    await tenant.leave(a, ...people.slice(0, 30));
    expect(await tenant.round()).toHaveProperty('heldSince');
    expect((await tenant.mirror()).users).toHaveLength(50);
    const { held } = all.backend.store;
    expect(await held.summary(tenant.no)).toMatchObject({ counts: { users: 30, memberships: 30 } });
    // One of them comes back before anybody decides.
    await tenant.join(a, people[0] ?? '');
    await tenant.round();
    expect(await held.summary(tenant.no)).toMatchObject({ counts: { users: 29, memberships: 29 } });
    await all.backend.store.intents.add(tenant.no, 'approve_held');
    await held.approve(tenant.no, () => undefined);
    await expectScope(tenant, [a], {});
    await tenant.round();
    await expectScope(tenant, [a], {});
  });
});

it('costs no more than two requests and the scope’s own statements where nothing changes', async () => {
  const tenant = await all.tenant({ users: 20, groups: 2, memberships: 20, guests: 0.5 });
  await set(tenant, idsOf((await tenant.truth()).groups), { guests: false });
  await tenant.round();
  await all.control('DELETE', '/requests');
  await tenant.round();
  const { total } = await all.control<{ total: number }>('GET', '/requests');
  expect(total).toBe(2);
});

describe('the preview of another scope', () => {
  const preview = async (tenant: EmulatedTenant, groupsToSync: readonly string[], scope: ScopeSettings = {}) => {
    const row = await all.backend.store.tenants.byNo(tenant.no);
    if (!row) throw new Error('The tenant is gone');
    const token = await all.deps.graph.tokenFor(row.entraTenantId ?? '');
    if (token.kind !== 'token') throw new Error('No token');
    const deps = { store: all.backend.store, graph: all.deps.graph };
    return new ScopePreviewer(deps, row, token.accessToken).preview({ groupsToSync, scope: scopeOf(scope) });
  };

  it('says who enters and who leaves, changes nothing, and comes true', async () => {
    const tenant = await all.tenant(SIZE);
    const { groups, memberships } = await tenant.truth();
    const nesting = memberships.filter(({ memberType }) => memberType === 'group').map(({ groupId }) => groupId);
    const first = idsOf(groups).slice(0, 3);
    await tenant.control('POST', '/app/assign', { principalId: first[0] ?? '' });
    await tenant.round();
    const steps: [readonly string[], ScopeSettings][] = [
      [first, { guests: false }],
      [[...new Set(nesting)].slice(0, 2), { nested: true }],
      [first, { assignedOnly: true, disabled: false }],
      [[], { guests: false }],
      [[], {}],
    ];
    for (const [groupsToSync, scope] of steps) {
      const before = await tenant.mirror();
      const shown = await preview(tenant, groupsToSync, scope);
      expect(await tenant.mirror()).toEqual(before);
      expect(shown).toMatchObject({ unresolved: [], complete: true });
      await set(tenant, groupsToSync, scope);
      await tenant.round();
      const after = await tenant.mirror();
      const moved = (kind: 'users' | 'groups', from: Truth, to: Truth) =>
        idsOf(to[kind]).filter((id) => !idsOf(from[kind]).includes(id)).length;
      for (const kind of ['users', 'groups'] as const) {
        expect([kind, shown[kind].enter.count, shown[kind].leave.count]).toEqual([
          kind,
          moved(kind, before, after),
          moved(kind, after, before),
        ]);
      }
    }
  });

  it('tells entries that fit none or several, and names of whom it is about', async () => {
    const tenant = await all.tenant({ users: 8, groups: 0, memberships: 0 });
    const group = await tenant.make('groups', { displayName: 'One' });
    const twins = [
      await tenant.make('groups', { displayName: 'Two' }),
      await tenant.make('groups', { displayName: 'Two' }),
    ];
    const person = await tenant.make('users', { displayName: 'Ida', userPrincipalName: 'ida@example.com' });
    await tenant.join(group, person);
    await set(tenant, ['Zero']);
    await tenant.round();
    const shown = await preview(tenant, ['One', 'Two', 'Zero']);
    expect(shown.unresolved.map(({ entry, candidates }) => [entry, idsOf(candidates)])).toEqual([
      ['Two', twins.sort((a, b) => (a < b ? -1 : 1))],
      ['Zero', []],
    ]);
    expect(shown.groups.enter.sample).toMatchObject([{ id: group, data: { displayName: 'One' } }]);
    expect(shown.users.enter).toMatchObject({ count: 1, sample: [{ id: person, data: { displayName: 'Ida' } }] });
  });
});
