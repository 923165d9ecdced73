import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Attributes, DeltaItem } from '../../src/domain/directory.ts';
import type { Backend } from './backend.ts';
import {
  applyPages,
  boundTenant,
  fill,
  finishRound,
  G,
  joins,
  leaves,
  object,
  openRound,
  removed,
  runRound,
  snapshotOf,
  U,
} from './rounds.ts';

const person = (n: number, accountEnabled = true): DeltaItem =>
  object(U(n), { userPrincipalName: `p${n}@contoso.com`, displayName: `Person ${n}`, accountEnabled });
const part = (n: number): DeltaItem => object(U(n), { jobTitle: 'Clerk' });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** What delta query first mentions in part, and is asked for whole by a read that may be older than it. */
export function partialSuite(backend: () => Backend): void {
  describe('what is first mentioned in part', () => {
    let no = 0;
    const store = () => backend().store;
    const people = async () => Object.keys((await snapshotOf(store(), no)).users);

    /** A round that asks for the whole, of which `shown` says what a read shows; returns for whom it asked. */
    const round = async (users: readonly (readonly DeltaItem[])[], shown: (id: string) => DeltaItem | undefined) => {
      const slice = await openRound(store(), no);
      await applyPages(store(), slice, 'users', users);
      await applyPages(store(), slice, 'groups', []);
      const asked = await fill(store(), slice, (_, id) => shown(id));
      await finishRound(store(), slice);
      return asked;
    };
    const shows = (n: number) => (id: string) => (id === U(n) ? person(n) : undefined);

    beforeEach(async () => {
      ({ no } = await boundTenant(store()));
      await runRound(store(), no, { users: [[person(9)]] });
    });

    test('is asked for again in the next round, and not in the same, where no read shows it yet', async () => {
      expect(await round([[part(1)]], () => undefined)).toEqual([U(1)]);
      expect(await round([], shows(1))).toEqual([U(1)]);
      expect((await snapshotOf(store(), no)).users[U(1)]).toMatchObject({ displayName: 'Person 1' });
      expect(await round([], shows(1))).toEqual([]);
    });

    test('is read again from its beginning where another round follows between two pages of it', async () => {
      const slice = await openRound(store(), no);
      await applyPages(store(), slice, 'groups', [[object(G(1), { description: 'A part' })]]);
      const wanted = await store().sync.wantedObjects([slice.feeds.users.fence, slice.feeds.groups.fence], 2);
      if (!wanted || wanted === 'superseded') throw new Error('Nothing is wanted');
      const whole = { displayName: 'All', mailEnabled: false, securityEnabled: true };
      const half = { items: [object(G(1), whole, [joins(U(9))])], nextLink: 'the other half' };
      await store().sync.applyPicked(slice.feeds.groups.fence, wanted, half);
      const next = await openRound(store(), no);
      expect(await fill(store(), next, () => object(G(1), whole, [joins(U(9)), joins(U(8))]))).toEqual([G(1)]);
      await applyPages(store(), next, 'users', []);
      await applyPages(store(), next, 'groups', []);
      await finishRound(store(), next);
      expect(Object.keys((await snapshotOf(store(), no)).memberships)).toEqual([`${G(1)}:${U(8)}`, `${G(1)}:${U(9)}`]);
    });

    test('is filled by an older read, which takes back no word of the feed: a value, a null, a sign-in', async () => {
      const old = object(U(1), {
        displayName: 'Old',
        jobTitle: 'Old',
        department: 'Old',
        accountEnabled: true,
        mail: 'a@b',
      });
      const said = (attributes: Attributes) => [object(U(1), attributes)];
      await round([said({ jobTitle: 'First' }), said({ jobTitle: 'New' })], () => undefined);
      await round([said({ department: null, accountEnabled: false })], () => old);
      const whole = { displayName: 'Old', jobTitle: 'New', accountEnabled: false, mail: 'a@b' };
      expect((await snapshotOf(store(), no)).users[U(1)]).toEqual(whole);
      // From then on the feed speaks alone.
      await round([said({ mail: null })], () => old);
      expect((await snapshotOf(store(), no)).users[U(1)]).toEqual({ ...whole, mail: undefined });
    });

    test('loses its sign-in by the word of the feed, whatever an older read says', async () => {
      await round([[object(U(9), { jobTitle: 'Clerk' }), removed(U(9))]], () => undefined);
      await round([[object(U(9), { jobTitle: 'Boss' })], [object(U(9), { accountEnabled: false })]], shows(9));
      expect((await snapshotOf(store(), no)).users[U(9)]).toMatchObject({ jobTitle: 'Boss', accountEnabled: false });
    });

    test('is no part any more of what the feed said of it when it comes back anew', async () => {
      await round([[part(1)]], () => undefined);
      await round([[removed(U(1))]], () => undefined);
      expect(await store().retention.erasePerson(no, U(1))).toBe('erased');
      const now = object(U(1), { displayName: 'One', jobTitle: 'Boss' });
      await round([[object(U(1), { department: 'Sales' })]], () => now);
      const { users } = await snapshotOf(store(), no);
      expect(users[U(1)]).toEqual({ displayName: 'One', jobTitle: 'Boss', department: 'Sales' });
    });

    test('as a group has the members that the feed tells, whatever an older read says of them', async () => {
      const whole = { displayName: 'All', mailEnabled: false, securityEnabled: true };
      const old = object(G(1), whole, [joins(U(9)), joins(U(8)), joins(U(7)), leaves(U(6))]);
      const groups = async (items: readonly (readonly DeltaItem[])[], shown?: DeltaItem) => {
        const slice = await openRound(store(), no);
        await applyPages(store(), slice, 'users', []);
        await applyPages(store(), slice, 'groups', items);
        await fill(store(), slice, () => shown);
        await finishRound(store(), slice);
        return Object.keys((await snapshotOf(store(), no)).memberships);
      };
      await runRound(store(), no, { users: [[person(6), person(7), person(8)]] });
      await groups([[object(G(1), {}, [joins(U(6)), joins(U(8)), leaves(U(7))])]]);
      await groups([[object(G(1), {}, [leaves(U(8)), leaves(U(9))])], [object(G(1), {}, [joins(U(9))])]], old);
      expect(await groups([])).toEqual([`${G(1)}:${U(6)}`, `${G(1)}:${U(9)}`]);
    });

    test('is not brought back by an older read where it goes in the same round, or before a read showed it', async () => {
      expect(await round([[part(1)], [removed(U(1))]], shows(1))).toEqual([]);
      await round([[part(2)]], () => undefined);
      await round([[removed(U(2), 'deleted')]], shows(2));
      await round([], shows(2));
      expect(await people()).toEqual([U(9)]);
    });

    test('is not brought back where a removal is held, nor after an erasure', async () => {
      await store().tenants.update(no, { guard: { users: { count: 0, percent: 0 } } });
      await round([[part(1)]], () => undefined);
      await round([[removed(U(1))]], shows(1));
      expect((await store().held.summary(no))?.counts).toMatchObject({ users: 1 });
      await round([], shows(1));
      expect((await store().held.summary(no))?.counts).toMatchObject({ users: 1 });
      expect(await store().retention.erasePerson(no, U(1))).toBe('erased');
      await round([], shows(1));
      expect(await people()).toEqual([U(9)]);
    });

    test('is nothing to hold where new people have no sign-in, however many', async () => {
      await runRound(store(), no, { users: [range(10, 100).map((n) => person(n))] });
      const fresh = range(101, 140);
      await round([fresh.map(part)], (id) => person(Number.parseInt(id.slice(-4), 16), false));
      expect(await store().held.summary(no)).toBeUndefined();
      expect((await snapshotOf(store(), no)).users[U(101)]).toMatchObject({ accountEnabled: false });
    });
  });
}
