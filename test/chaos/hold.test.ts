import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fold, type Snapshot } from '../support/api-client.ts';
import { Deployment, firstDifference, type DirectoryJson } from '../support/deployment.ts';

const USERS = 5_000;

interface Held {
  readonly held: boolean;
  readonly counts: Readonly<Record<'users' | 'groups' | 'memberships' | 'disables', number>>;
  readonly exceeded: readonly string[];
  readonly sample: { readonly read: number; readonly stillThere: number } | null;
}

describe('removals that are too many at once', () => {
  let deployment: Deployment;
  let large: DirectoryJson;
  let small: DirectoryJson;

  const control = <T = unknown>(method: string, path: string, body?: unknown) =>
    deployment.emulator.control<T>(method, path, body);
  const held = (id: string) => deployment.api.json<Held>('GET', `/v1/tenants/${id}/held`);
  const decide = (id: string, what: 'approve' | 'reject') =>
    deployment.api.json('POST', `/v1/tenants/${id}/held/${what}`);
  const listed = async (id: string, kind: string): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { data: { id: string }[]; nextCursor: string | null } = await deployment.api.json(
        'GET',
        `/v1/tenants/${id}/held?kind=${kind}&limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      ids.push(...page.data.map((entry) => entry.id));
      cursor = page.nextCursor;
    }
    return ids;
  };
  const waits = (id: string) =>
    deployment.api.until(id, 'a person is asked', (tenant) => tenant.problem?.code === 'held', 120_000);
  const goesOn = (id: string) =>
    deployment.api.until(id, 'nothing is held', (tenant) => tenant.state === 'delta_sync', 120_000);
  /** Spread over several rounds each part of it would be let pass. */
  const inOneRound = async (id: string, change: () => Promise<void>) => {
    await deployment.api.json('POST', `/v1/tenants/${id}/pause`);
    await deployment.api.until(id, 'it is paused', ({ state }) => state === 'paused');
    await change();
    await deployment.api.json('POST', `/v1/tenants/${id}/resume`);
  };
  const removalsAfter = async (cursor: string, id: string) =>
    (await deployment.api.eventsAfter(cursor, id)).events
      .filter(({ type }) => /\.(deleted|removed)$/.test(type))
      .map(({ subject }) => subject.id);
  /** The mirror without what the preview lists is the directory. */
  const expectPreviewExact = async (id: string, directoryId: string) => {
    const mirror = await deployment.api.snapshot(id);
    for (const kind of ['users', 'groups', 'memberships'] as const) {
      const entries = await listed(id, kind);
      expect(entries).toHaveLength((await held(id)).counts[kind]);
      for (const entry of entries) expect([entry, mirror[kind].delete(entry)]).toEqual([entry, true]);
    }
    expect(firstDifference(mirror, await deployment.truth(directoryId))).toBeUndefined();
  };
  const expectFolded = async (id: string, before: Snapshot) => {
    const { events } = await deployment.api.eventsAfter(before.cursor, id);
    expect(firstDifference(fold(before, events), await deployment.api.snapshot(id))).toBeUndefined();
  };

  beforeAll(async () => {
    deployment = await Deployment.start();
    large = await deployment.directory({
      domain: 'large.example',
      seed: 3,
      users: USERS,
      groups: 40,
      memberships: 2_000,
    });
    small = await deployment.directory({ domain: 'small.example', seed: 4, users: 100, groups: 10, memberships: 150 });
    deployment.startProduct('all');
    await deployment.ready();
    await deployment.connect('large', large);
    await deployment.connect('small', small);
    await deployment.api.until('large', 'it follows', ({ state }) => state === 'delta_sync', 120_000);
    await deployment.api.until('small', 'it follows', ({ state }) => state === 'delta_sync', 120_000);
  }, 300_000);

  afterAll(async () => {
    await deployment?.stop();
  }, 240_000);

  test('an empty page set against 5,000 people changes nothing, deltas go on beside it, and a rejection heals it', async () => {
    const before = await deployment.expectMirror('large', large.id);
    await control('POST', 'faults', { path: '/delta', tenant: large.id, fault: { kind: 'emptyResult' } });
    await deployment.api.json('POST', '/v1/tenants/large/resync');
    expect(await waits('large')).toMatchObject({
      state: 'attention',
      phase: 'delta_sync',
      problem: { code: 'held', who: 'product operator', blocking: true },
    });
    await control('DELETE', 'faults');
    expect(await held('large')).toMatchObject({
      held: true,
      exceeded: ['users', 'groups', 'memberships'],
      counts: { users: before.users.size, groups: before.groups.size, memberships: before.memberships.size },
    });
    const { sample } = await held('large');
    expect(sample?.stillThere).toBe(sample?.read);
    expect(sample?.read).toBeGreaterThanOrEqual(20);
    expect(await removalsAfter(before.cursor, 'large')).toEqual([]);
    await deployment.expectMirror('large', large.id);

    // Beside it: what is heard of again is held no more, what is new arrives, and the mirror stays fresh.
    const [first] = [...before.users.keys()];
    await control('PATCH', `tenants/${large.id}/users/${first}`, { jobTitle: 'Still here' });
    await control('POST', `tenants/${large.id}/users`, {
      displayName: 'New Person',
      userPrincipalName: 'new.person@large.example',
    });
    expect(await deployment.caughtUp('large')).toMatchObject({ state: 'attention' });
    await deployment.expectMirror('large', large.id);
    expect(await listed('large', 'users')).not.toContain(first);
    expect((await held('large')).counts.users).toBe(before.users.size - 1);

    await decide('large', 'reject');
    await goesOn('large');
    expect(await held('large')).toMatchObject({ held: false, counts: { users: 0 } });
    await deployment.caughtUp('large');
    await deployment.expectMirror('large', large.id);
    expect(await removalsAfter(before.cursor, 'large')).toEqual([]);
    await expectFolded('large', before);
  }, 240_000);

  test('nine tenths deleted are held, held again after a rejection, and gone after an approval', async () => {
    const before = await deployment.expectMirror('large', large.id);
    const gone = [...before.users.keys()].slice(0, Math.round(before.users.size * 0.9));
    await inOneRound('large', async () => {
      for (let at = 0; at < gone.length; at += 50)
        await Promise.all(gone.slice(at, at + 50).map((id) => control('DELETE', `tenants/${large.id}/users/${id}`)));
    });
    await waits('large');
    expect(await held('large')).toMatchObject({
      held: true,
      counts: { users: gone.length },
      sample: { stillThere: 0 },
    });
    await deployment.caughtUp('large');
    const { cursor: undecided } = await deployment.api.snapshot('large');
    await decide('large', 'reject');
    await deployment.api.fullRoundAfter(undecided, 'large');
    await waits('large');
    expect(await removalsAfter(before.cursor, 'large')).toEqual([]);
    expect(await held('large')).toMatchObject({
      held: true,
      counts: { users: gone.length },
      sample: { stillThere: 0 },
    });
    await expectPreviewExact('large', large.id);
    const { counts } = await held('large');
    const expected = new Set([...(await listed('large', 'users')), ...(await listed('large', 'memberships'))]);
    const { cursor } = await deployment.api.snapshot('large');
    await decide('large', 'approve');
    await goesOn('large');
    const told = await removalsAfter(cursor, 'large');
    expect(told).toHaveLength(counts.users + counts.memberships);
    expect(new Set(told)).toEqual(expected);
    await deployment.expectMirror('large', large.id);
    await expectFolded('large', before);
  }, 300_000);

  test('a dismissal of 30 in 100 waits, with its preview exact while deltas go on, and is applied when approved', async () => {
    const before = await deployment.expectMirror('small', small.id);
    const spared = new Set(small.accounts.map(({ id }) => id));
    const dismissed = [...before.users.keys()].filter((id) => !spared.has(id)).slice(0, 30);
    await inOneRound('small', async () => {
      for (const id of dismissed) await control('DELETE', `tenants/${small.id}/users/${id}`);
    });
    await waits('small');
    expect((await listed('small', 'users')).toSorted()).toEqual(dismissed.toSorted());
    expect(await removalsAfter(before.cursor, 'small')).toEqual([]);
    await expectPreviewExact('small', small.id);

    const [back, later] = [
      dismissed[0] ?? '',
      [...before.users.keys()].find((id) => !dismissed.includes(id) && !spared.has(id)),
    ];
    await control('POST', `tenants/${small.id}/users/${back}/restore`);
    await control('DELETE', `tenants/${small.id}/users/${later}`);
    expect(await deployment.caughtUp('small')).toMatchObject({ state: 'attention' });
    expect((await listed('small', 'users')).toSorted()).toEqual(dismissed.slice(1).toSorted());
    expect((await removalsAfter(before.cursor, 'small')).filter((id) => !id.includes(':'))).toEqual([later]);
    await expectPreviewExact('small', small.id);

    await decide('small', 'approve');
    await goesOn('small');
    await deployment.caughtUp('small');
    await deployment.expectMirror('small', small.id);
    await expectFolded('small', before);
    expect((await deployment.api.request('POST', '/v1/tenants/small/held/approve')).status).toBe(409);
  }, 180_000);
});
