import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { RETENTION } from '../../src/domain/retention.ts';
import type { Backend } from './backend.ts';
import { tablesWith } from './everywhere.ts';
import {
  boundTenant,
  eventsAfter,
  G,
  joins,
  liveTenant,
  object,
  openRound,
  removed,
  runRound,
  snapshotOf,
  toldAfter,
  U,
} from './rounds.ts';

/** What is let go, when, and that nothing of it stays. */
export function erasureSuite(backend: () => Backend): void {
  const store = () => backend().store;
  let no = 0;
  let cursor = '';
  let name = '';
  let address = '';
  const person = () => ({ displayName: name, mail: address, otherMails: [address], accountEnabled: true });

  const found = async () => [...(await tablesWith(backend().db, name)), ...(await tablesWith(backend().db, address))];
  /** As if so much time had passed over the tenant. */
  const passDays = async (days: number) => {
    await sql`UPDATE directory_user SET deleted_at = deleted_at - ${days} * interval '1 day' WHERE tenant_no = ${no}`.execute(
      backend().db,
    );
  };

  beforeEach(async () => {
    // Of its own in each test: they share a database.
    const mark = randomBytes(6).toString('hex');
    name = `Canarius ${mark}`;
    address = `canary.${mark}@contoso.com`;
    ({ no } = await boundTenant(store()));
    await runRound(store(), no, { users: [[object(U(2))]], groups: [[object(G(1), {}, [joins(U(2))])]] });
    cursor = await store().feed.head();
    await runRound(store(), no, {
      users: [[object(U(1), { ...person(), displayName: `${name} I` })]],
      groups: [[object(G(1), {}, [joins(U(1))])]],
    });
    await runRound(store(), no, { users: [[object(U(1), person())]] });
    expect(await found()).toEqual(['directory_user', 'event', 'directory_user', 'event']);
  });

  /** The person's events, in the order in which they happened. */
  const story = async () =>
    (await eventsAfter(store(), cursor, no)).filter(({ subject }) => subject.id === U(1)).map((event) => event);

  describe('a person', () => {
    test('who is gone for good leaves an id', async () => {
      await runRound(store(), no, { users: [[removed(U(1), 'deleted')]] });
      expect(await found()).toEqual([]);
      expect(await story()).toMatchObject([
        { type: 'user.created', data: { id: U(1) }, reason: 'purge' },
        { type: 'user.updated', data: { id: U(1) }, reason: 'purge' },
        { type: 'user.deleted', data: { id: U(1) }, reason: 'directory' },
      ]);
      expect((await story()).some((event) => 'changed' in event)).toBe(false);
      expect((await liveTenant(store(), no)).counts).toEqual({ users: 1, groups: 1, memberships: 1 });
    });

    test('who was soft-deleted is kept for thirty days, and then gone', async () => {
      await runRound(store(), no, { users: [[removed(U(1))]] });
      await passDays(29);
      await store().retention.sweep();
      expect(await found()).toContain('directory_user');
      await passDays(2);
      await store().retention.sweep();
      expect(await found()).toEqual([]);
      const { rows } = await sql`
        SELECT 1 FROM directory_user WHERE tenant_no = ${no} AND id = ${U(1)}::uuid
        UNION ALL SELECT 1 FROM membership WHERE tenant_no = ${no} AND member_id = ${U(1)}::uuid`.execute(backend().db);
      expect(rows).toEqual([]);
      expect((await story()).map(({ type, data }) => [type, data])).toEqual(
        ['user.created', 'user.updated', 'user.deleted'].map((type) => [type, { id: U(1) }]),
      );
    });

    test('who is soft-deleted is erased on request, and comes back whole where the directory restores them', async () => {
      expect(await store().retention.erasePerson(no, U(1))).toBe('living');
      expect(await found()).not.toEqual([]);
      await runRound(store(), no, { users: [[removed(U(1))]] });
      // In the middle of a round, too.
      await openRound(store(), no, 'full', 'beside');
      expect(await store().retention.erasePerson(no, U(1))).toBe('erased');
      expect(await store().retention.erasePerson(no, U(1))).toBe('erased');
      expect(await store().retention.erasePerson(no, U(77))).toBe('erased');
      expect(await found()).toEqual([]);
      const before = await store().feed.head();
      await runRound(store(), no, {
        id: 'beside',
        kind: 'full',
        users: [[object(U(1), person()), object(U(2))]],
        groups: [[object(G(1), {}, [joins(U(1)), joins(U(2))])]],
      });
      expect(await toldAfter(store(), before, no)).toEqual([
        `user.restored ${U(1)}`,
        `membership.added ${G(1)}:${U(1)}`,
        expect.stringContaining('sync.completed'),
      ]);
      expect(Object.keys((await snapshotOf(store(), no)).memberships)).toEqual([`${G(1)}:${U(1)}`, `${G(1)}:${U(2)}`]);
    });
  });

  test('who goes but is held for a person is erased on request; the rest of the set stands', async () => {
    const none = { count: 0, percent: 0 };
    await store().tenants.update(no, { guard: { users: none, groups: none, memberships: none } });
    await runRound(store(), no, { users: [[removed(U(1)), removed(U(2))]] });
    expect(await store().held.summary(no)).toMatchObject({ counts: { users: 2 } });
    const before = await store().feed.head();
    expect(await store().retention.erasePerson(no, U(1))).toBe('erased');
    expect(await found()).toEqual([]);
    expect(await toldAfter(store(), before, no)).toEqual([
      `membership.removed ${G(1)}:${U(1)}`,
      `user.deleted ${U(1)}`,
    ]);
    expect((await liveTenant(store(), no)).counts).toEqual({ users: 1, groups: 1, memberships: 1 });
    expect(await store().held.summary(no)).toMatchObject({ counts: { users: 1 } });
    // Whoever is not held is none the nearer to it.
    await runRound(store(), no, { users: [[object(U(2), { displayName: 'Back' })]] });
    expect(await store().retention.erasePerson(no, U(2))).toBe('living');
  });

  describe('a tenant', () => {
    test('that is purged leaves neither name nor address, token, attempt nor held set', async () => {
      const soon = new Date(Date.now() + 60_000);
      await store().tokens.put(no, Buffer.from(name), soon);
      const attempt = {
        tenantNo: no,
        step: 'proof',
        browserHash: randomBytes(32),
        entraTenant: null,
        sealed: Buffer.from(address),
      } as const;
      await store().consents.begin(randomBytes(32), attempt, soon);
      const who = { tenantNo: no, entraTenantId: randomUUID(), userId: U(1), returnTo: address, authTime: null };
      await store().signIns.issue(randomBytes(32), who, 60_000);
      await store().tenants.update(no, {
        name,
        signIn: { returnUrls: [`https://app.example/?${address}`] },
        presentation: { owner: name, contact: address },
      });
      await store().tenants.record({ tenantNo: no, phase: 'syncing', paused: true, problem: null, taken: [] });
      await store().tenants.purge(no, () => undefined);
      expect(await found()).toEqual([]);
      const { rows } = await sql<{ left: number }>`
        SELECT (SELECT count(*) FROM tenant_token WHERE tenant_no = ${no})
          + (SELECT count(*) FROM consent_attempt WHERE tenant_no = ${no})
          + (SELECT count(*) FROM sign_in_code WHERE tenant_no = ${no})
          + (SELECT count(*) FROM held_set WHERE tenant_no = ${no})
          + (SELECT count(*) FROM held_removal WHERE tenant_no = ${no})
          + (SELECT count(*) FROM restored_object WHERE tenant_no = ${no})
          + (SELECT count(*) FROM membership_word WHERE tenant_no = ${no}) AS left`.execute(backend().db);
      expect(rows).toEqual([{ left: 0 }]);
    });
  });

  describe('what is too old', () => {
    test('goes from the feed, and cursors before it are void', async () => {
      const beginning = cursor;
      await sql`UPDATE event SET at = at - interval '31 days'`.execute(backend().db);
      const old = await store().feed.head();
      await runRound(store(), no, { users: [[object(U(3))]] });
      await store().retention.sweep();
      expect(await store().feed.read(beginning, 100)).toBe('expired');
      expect(await toldAfter(store(), old, no)).toEqual([
        `user.created ${U(3)}`,
        expect.stringContaining('sync.completed'),
      ]);
      const fromStart = await store().feed.read(undefined, 100);
      expect(fromStart !== 'expired' && fromStart.events[0]?.subject.id).toBe(U(3));
      // Nothing is left that is older, and a second time changes nothing.
      await store().retention.sweep();
      expect(await store().feed.read(old, 100)).not.toBe('expired');
    });

    test('goes as events do by the time that is configured, down to the last one', async () => {
      await store().retention.sweep({ ...RETENTION, eventsMs: -60_000 });
      const head = await store().feed.head();
      const all = await store().feed.read(head, 100);
      expect(all).toEqual({ events: [], cursor: head });
      expect(await store().feed.read(cursor, 100)).toBe('expired');
    });

    test('goes from the intents once they were taken', async () => {
      const taken = await store().intents.add(no, 'sync');
      const open = await store().intents.add(no, 'resync');
      await store().intents.tick([taken.id]);
      const kept = async () => {
        const { rows } = await sql<{ id: string }>`SELECT id FROM intent WHERE tenant_no = ${no}`.execute(backend().db);
        return rows.map((row) => row.id);
      };
      await store().retention.sweep();
      expect(await kept()).toContain(taken.id);
      await sql`UPDATE intent SET taken_at = taken_at - interval '2 days', created_at = created_at - interval '2 days'`.execute(
        backend().db,
      );
      await store().retention.sweep();
      expect(await kept()).not.toContain(taken.id);
      expect(await kept()).toContain(open.id);
    });
  });
}
