import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Backend } from './backend.ts';
import { boundTenant, G, joins, object, removed, runRound, U, uuid } from './rounds.ts';

/** Nested groups with a cycle: 1 ⊂ 2 ⊂ 3 ⊂ 1, a short way from 1 to 4 and a long one over 3. */
export function directorySuite(backend: () => Backend): void {
  describe('the directory', () => {
    let no = 0;
    const directory = () => backend().store.directory;
    beforeAll(async () => {
      ({ no } = await boundTenant(backend().store));
      await runRound(backend().store, no, {
        users: [[object(U(1), { displayName: 'Ada' }), object(U(2)), object(U(3))]],
        groups: [
          [
            object(G(1), {}, [joins(U(1)), joins(G(3), 'group'), joins(U(3))]),
            object(G(2), {}, [joins(G(1), 'group'), joins(U(2))]),
            object(G(3), {}, [joins(G(2), 'group'), joins(uuid('d', 1), 'device')]),
            object(G(4), {}, [joins(G(3), 'group'), joins(G(1), 'group')]),
            object(G(5), {}, [joins(U(1))]),
          ],
        ],
      });
      await runRound(backend().store, no, { users: [[removed(U(3))]], groups: [[removed(G(5))]] });
    }, 30_000);

    test('gives the groups of a user, directly and through others', async () => {
      const ids = async (user: string, transitive: boolean) =>
        (await directory().groupsOf(no, user, transitive, undefined, 10)).data.map((row) => row.id);
      expect(await ids(U(1), false)).toEqual([G(1)]);
      expect(await ids(U(1), true)).toEqual([G(1), G(2), G(3), G(4)]);
      expect(await ids(U(3), true)).toEqual([]);
      expect(await ids('no-id', true)).toEqual([]);
    });

    test('gives the members of a group in pages, and null for data that is not mirrored', async () => {
      const direct = await directory().membersOf(no, G(3), false, undefined, 10);
      expect(direct.data).toEqual([
        { id: G(2), memberType: 'group', data: {} },
        { id: uuid('d', 1), memberType: 'device', data: null },
      ]);
      const all: string[] = [];
      let next: string | null | undefined;
      do {
        const page = await directory().membersOf(no, G(3), true, next ?? undefined, 2);
        all.push(...page.data.map((row) => row.id));
        ({ next } = page);
      } while (next !== null);
      expect(all).toEqual([U(1), U(2), G(1), G(2), uuid('d', 1)]);
    });

    test('finds a shortest chain of groups, and none where there is none', async () => {
      expect(await directory().path(no, U(1), G(1))).toEqual([G(1)]);
      expect(await directory().path(no, U(1), G(4))).toEqual([G(1), G(4)]);
      expect(await directory().path(no, U(2), G(4))).toEqual([G(2), G(3), G(4)]);
      expect(await directory().path(no, U(1), G(5))).toBeUndefined();
      expect(await directory().path(no, U(3), G(1))).toBeUndefined();
    });

    test('finds one object by its id, if it is there and not deleted', async () => {
      expect(await directory().user(no, U(1))).toEqual({ id: U(1), data: { displayName: 'Ada' } });
      expect(await directory().user(no, U(3))).toBeUndefined();
      expect(await directory().user(no, 'no-id')).toBeUndefined();
      expect(await directory().group(no, G(1))).toEqual({ id: G(1), data: {} });
      expect(await directory().group(no + 1, G(1))).toBeUndefined();
    });
  });
}
