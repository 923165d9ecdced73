import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QUERY_HASH } from '../../src/graph/delta-feed.ts';
import { fencesOf } from '../store/rounds.ts';
import { EmulatedDirectories, type EmulatedTenant } from './emulated-tenant.ts';

let all: EmulatedDirectories;

beforeAll(async () => {
  all = await EmulatedDirectories.open();
}, 240_000);
afterAll(() => all.close());

const keysOf = (of: Awaited<ReturnType<EmulatedTenant['truth']>>) => ({
  users: of.users.map(({ id }) => id).sort(),
  groups: of.groups.map(({ id }) => id).sort(),
  memberships: of.memberships.map(({ groupId, memberId }) => `${groupId}:${memberId}`).sort(),
});

async function expectTruth(tenant: EmulatedTenant): Promise<void> {
  expect(keysOf(await tenant.mirror())).toEqual(keysOf(await tenant.truth()));
}

const LONG_AGO = { createdDateTime: '2020-01-01T00:00:00Z' };

it('gives somebody who was deleted before the first sync, and is restored, the memberships that no feed tells', async () => {
  const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
  const group = await tenant.make('groups', { displayName: 'Sales' });
  const user = await tenant.make('users', { displayName: 'Bea Back', ...LONG_AGO });
  await tenant.join(group, user);
  await tenant.control('DELETE', `/users/${user}`);
  await tenant.round();
  await expectTruth(tenant);
  await tenant.control('POST', `/users/${user}/restore`);
  await tenant.round();
  await expectTruth(tenant);
  expect((await tenant.told()).filter((line) => !line.startsWith('sync'))).toEqual([
    `user.created ${user} directory`,
    `membership.added ${group}:${user} directory`,
  ]);
  await tenant.round();
  expect(await tenant.told()).toEqual([]);
});

it('does so for who had been created a moment before the first sync', async () => {
  const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
  const group = await tenant.make('groups', { displayName: 'Sales' });
  const user = await tenant.make('users', { displayName: 'Yves Young' });
  await tenant.join(group, user);
  await tenant.control('DELETE', `/users/${user}`);
  await tenant.round();
  // Rounds go on, and the mirror is fresher than they are.
  await tenant.round();
  await tenant.control('POST', `/users/${user}/restore`);
  await tenant.round();
  await expectTruth(tenant);
});

const UNIFIED = { groupTypes: ['Unified'], mailEnabled: true };

it.each([
  ['of Microsoft 365', true, UNIFIED],
  ['of Microsoft 365', false, UNIFIED],
  ['for security', true, {}],
  ['for security', false, {}],
] as const)(
  'gives a group %s that was deleted before the first sync its members, whether groups list themselves again or not: %s',
  async (_, relistMembersOnRestore, properties) => {
    const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
    await tenant.control('PATCH', '/settings', { delta: { relistMembersOnRestore } });
    const group = await tenant.make('groups', { displayName: 'Team', ...properties });
    const user = await tenant.make('users', { displayName: 'Tim Teammate' });
    await tenant.join(group, user);
    await tenant.control('DELETE', `/groups/${group}`);
    await tenant.round();
    await expectTruth(tenant);
    await tenant.control('POST', `/groups/${group}/restore`);
    await tenant.round();
    await expectTruth(tenant);
    expect((await tenant.told()).filter((line) => !line.startsWith('sync'))).toEqual([
      `group.created ${group} directory`,
      `membership.added ${group}:${user} directory`,
    ]);
  },
);

it('gives such a group its place in other groups, too, though it lists its members', async () => {
  const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
  await tenant.control('PATCH', '/settings', { delta: { relistMembersOnRestore: true } });
  const parent = await tenant.make('groups', { displayName: 'Department' });
  const group = await tenant.make('groups', { displayName: 'Team', ...UNIFIED });
  await tenant.join(parent, group);
  await tenant.join(group, await tenant.make('users', { displayName: 'Tim Teammate' }));
  await tenant.control('DELETE', `/groups/${group}`);
  await tenant.round();
  await tenant.control('POST', `/groups/${group}/restore`);
  await tenant.round();
  await expectTruth(tenant);
});

it('asks nothing more for somebody who is new', async () => {
  const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
  const group = await tenant.make('groups', { displayName: 'Sales' });
  await tenant.round();
  const createdDateTime = new Date(Date.now() + 10 * 60_000).toISOString();
  const user = await tenant.make('users', { displayName: 'Ned New', createdDateTime });
  await tenant.join(group, user);
  await all.control('DELETE', '/requests');
  await tenant.round();
  await expectTruth(tenant);
  expect(await all.control('GET', '/requests')).toMatchObject({ total: 2 });
});

describe('within a scope', () => {
  it.each([true, false])(
    'gives whoever was deleted before a group was read their place in it, also with groups inside of it (group deleted: %s)',
    async (isGroup) => {
      const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
      const root = await tenant.make('groups', { displayName: 'Company' });
      const inner = await tenant.make('groups', { displayName: 'Department' });
      const user = await tenant.make('users', { displayName: 'Bea Back', ...LONG_AGO });
      await tenant.join(root, inner);
      await tenant.join(inner, user);
      const gone = isGroup ? `groups/${inner}` : `users/${user}`;
      await tenant.control('DELETE', `/${gone}`);
      await all.backend.store.tenants.update(tenant.no, { groupsToSync: [root], scope: { nested: true } });
      await tenant.round();
      expect((await tenant.mirror()).users).toEqual([]);
      await tenant.control('POST', `/${gone}/restore`);
      await tenant.round();
      expect(keysOf(await tenant.mirror())).toEqual({
        users: [user],
        groups: [root, inner].sort(),
        memberships: [`${root}:${inner}`, `${inner}:${user}`].sort(),
      });
      await tenant.round();
      expect(await tenant.told()).not.toContain('user.deleted');
    },
  );

  it('forgets nobody who was restored before the deleted are listed again', async () => {
    const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
    const root = await tenant.make('groups', { displayName: 'Company' });
    const other = await tenant.make('groups', { displayName: 'Subsidiary' });
    const user = await tenant.make('users', { displayName: 'Bea Back', ...LONG_AGO });
    await tenant.join(root, user);
    await tenant.control('DELETE', `/users/${user}`);
    await all.backend.store.tenants.update(tenant.no, { groupsToSync: [root] });
    await tenant.round();
    const { sync } = all.backend.store;
    const slice = await sync.openSlice({ tenantNo: tenant.no, roundId: 'r', kind: 'delta', queryHash: QUERY_HASH });
    if (slice === 'halted' || 'completed' in slice) throw new Error('No round was opened');
    expect(slice.kind).toBe('delta');
    // In another round's words: listed again once she is restored, before any feed says so.
    await sync.deletedListed(fencesOf(slice), { users: [], groups: [] });
    await tenant.control('POST', `/users/${user}/restore`);
    await all.backend.store.tenants.update(tenant.no, { groupsToSync: [root, other] });
    await tenant.round();
    expect(keysOf(await tenant.mirror())).toMatchObject({ users: [user], memberships: [`${root}:${user}`] });
  });

  it('asks nothing more in a round in which nobody it knows was deleted', async () => {
    const tenant = await all.tenant({ users: 5, groups: 2, memberships: 6 });
    const group = await tenant.make('groups', { displayName: 'Sales' });
    await all.backend.store.tenants.update(tenant.no, { groupsToSync: [group] });
    await tenant.round();
    await tenant.make('users', { displayName: 'Otto Outside' });
    await all.control('DELETE', '/requests');
    await tenant.round();
    expect(await all.control('GET', '/requests')).toMatchObject({ total: 2 });
  });
});
