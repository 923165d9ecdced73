import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Browser, connectAsAdministrator } from '../../demo/browser.ts';
import { Deployment, type DirectoryJson } from '../support/deployment.ts';

interface Side {
  readonly count: number;
  readonly sample: readonly { readonly id: string }[];
}
interface PreviewJson {
  readonly users: { readonly enter: Side; readonly leave: Side };
  readonly groups: { readonly enter: Side; readonly leave: Side };
  readonly unresolved: readonly unknown[];
  readonly complete: boolean;
}

const ID = 'scoped';
let deployment: Deployment;
let directory: DirectoryJson;

/** Two groups of three each, of whom one is in both, and one of them a guest, in a directory of many more. */
const people: Record<'ann' | 'ben' | 'both' | 'cho' | 'guest', string> = {
  ann: '',
  ben: '',
  both: '',
  cho: '',
  guest: '',
};
const groups = { sales: '', support: '' };

const control = <T>(method: string, path: string, body?: unknown) =>
  deployment.emulator.control<T>(method, `tenants/${directory.id}/${path}`, body);

beforeAll(async () => {
  deployment = await Deployment.start({ preset: 'none' });
  directory = await deployment.directory({ domain: 'contoso.com', users: 60, groups: 12, memberships: 150 });
  for (const name of ['ann', 'ben', 'both', 'cho', 'guest'] as const) {
    const userType = name === 'guest' ? 'Guest' : 'Member';
    people[name] = (await control<{ id: string }>('POST', 'users', { displayName: name, userType })).id;
  }
  const { ann, ben, both, cho, guest } = people;
  for (const [name, ids] of [
    ['sales', [ann, ben, both]],
    ['support', [both, cho, guest]],
  ] as const) {
    groups[name] = (await control<{ id: string }>('POST', 'groups', { displayName: `The ${name}, all` })).id;
    await control('POST', `groups/${groups[name]}/members`, { ids });
  }
  deployment.startProduct('all');
  await deployment.ready();
}, 240_000);

afterAll(() => deployment?.stop(), 60_000);

async function expectMirrored(groupIds: readonly string[], userIds: readonly string[]): Promise<void> {
  const mirror = await deployment.api.snapshot(ID);
  expect([...mirror.groups.keys()].sort()).toEqual([...groupIds].sort());
  expect([...mirror.users.keys()].sort()).toEqual([...userIds].sort());
  const { memberships } = await deployment.truth(directory.id);
  const within = [...memberships.values()].filter(
    ({ groupId, memberId }) => groupIds.includes(String(groupId)) && userIds.includes(String(memberId)),
  );
  expect(mirror.memberships.size).toBe(within.length);
  expect((await deployment.api.tenant(ID)).counts).toEqual({
    users: userIds.length,
    groups: groupIds.length,
    memberships: within.length,
  });
}

test('of a directory only the groups that were named are mirrored, with their members', async () => {
  const { setupUrl } = await deployment.api.createTenant({ id: ID, groupsToSync: '"The sales, all"' });
  const administrator = deployment.administratorOf(directory);
  await connectAsAdministrator(new Browser(deployment.emulator.ca), setupUrl, administrator);
  const tenant = await deployment.api.until(ID, 'it follows', ({ state }) => state === 'delta_sync');
  expect(tenant.problem).toBeNull();
  const { ann, ben, both } = people;
  await expectMirrored([groups.sales], [ann, ben, both]);
}, 240_000);

test('another scope shows who would enter and leave, and is applied as shown, its events with the reason', async () => {
  const change = { groupsToSync: ['The support, all'], scope: { guests: false } };
  const preview = await deployment.api.json<PreviewJson>('POST', `/v1/tenants/${ID}/scope/preview`, change);
  const ids = ({ sample }: Side) => sample.map(({ id }) => id).sort();
  const { ann, ben, both, cho } = people;
  expect(preview).toMatchObject({ complete: true, unresolved: [] });
  expect(ids(preview.users.enter)).toEqual([cho]);
  expect(ids(preview.users.leave)).toEqual([ann, ben].sort());
  expect([ids(preview.groups.enter), ids(preview.groups.leave)]).toEqual([[groups.support], [groups.sales]]);

  const { cursor } = await deployment.api.eventsAfter('');
  await deployment.api.json('PATCH', `/v1/tenants/${ID}`, change);
  await deployment.api.until(ID, 'the new scope is applied', ({ counts }) => counts.users === 2);
  await deployment.caughtUp(ID);
  await expectMirrored([groups.support], [both, cho]);
  const { events } = await deployment.api.eventsAfter(cursor, ID);
  const told = events.filter(({ type }) => !type.startsWith('sync.'));
  expect(told.every(({ reason }) => reason === 'scope')).toBe(true);
  expect(told.map(({ type, subject }) => `${type} ${subject.id}`).sort()).toEqual(
    [
      `group.created ${groups.support}`,
      `group.deleted ${groups.sales}`,
      ...[both, cho].map((id) => `membership.added ${groups.support}:${id}`),
      ...[ann, ben, both].map((id) => `membership.removed ${groups.sales}:${id}`),
      ...[ann, ben].map((id) => `user.deleted ${id}`),
      `user.created ${cho}`,
    ].sort(),
  );
}, 240_000);

test('somebody who joins a synced group is fetched whole, though the feed of users says nothing of them', async () => {
  const { ann, both, cho } = people;
  const { cursor } = await deployment.api.eventsAfter('');
  await control('POST', `groups/${groups.support}/members`, { ids: [ann] });
  await deployment.api.until(ID, 'who joined is there', ({ counts }) => counts.memberships === 3);
  await expectMirrored([groups.support], [ann, both, cho]);
  const { events } = await deployment.api.eventsAfter(cursor, ID);
  expect(events.find(({ type }) => type === 'user.created')).toMatchObject({
    subject: { id: ann },
    reason: 'scope',
    data: { displayName: 'ann', accountEnabled: true },
  });
}, 240_000);
