import { expect, test } from '@jest/globals';
import { exceeded, guardOf, verdictOn } from '../../src/domain/guard.ts';

const none = { users: 0, groups: 0, memberships: 0 };

test.each([
  [{ users: 20 }, { users: 20 }, []],
  [{ users: 21 }, { users: 210 }, []],
  [{ users: 21 }, { users: 209 }, ['users']],
  [{ groups: 21 }, { groups: 100 }, ['groups']],
  [{ memberships: 100 }, { memberships: 100 }, []],
  [{ memberships: 101 }, { memberships: 505 }, []],
  [{ memberships: 101 }, { memberships: 504 }, ['memberships']],
  [{ users: 30, groups: 30 }, { users: 100, groups: 1_000 }, ['users']],
])('of %j that go of %j the guard stops %j', (going, visible, kinds) => {
  expect(exceeded(guardOf({}), { ...none, ...going }, { ...none, ...visible })).toEqual(kinds);
});

test('a tenant has thresholds of its own for some kinds', () => {
  const guard = guardOf({ users: { count: 0, percent: 0 } });
  expect(exceeded(guard, { ...none, users: 1, groups: 15 }, { ...none, users: 1_000, groups: 15 })).toEqual(['users']);
});

test('a delta feed that a fresh read contradicts is not believed, a full round is held', () => {
  expect(verdictOn('delta', { read: 20, stillThere: 1 })).toBe('read_again');
  expect(verdictOn('delta', { read: 20, stillThere: 0 })).toBe('hold');
  expect(verdictOn('delta', { read: 0, stillThere: 0 })).toBe('hold');
  expect(verdictOn('full', { read: 20, stillThere: 20 })).toBe('hold');
});
