import type { Feed, Membership, MemberType } from '../../src/domain/directory.ts';
import { G, type Snapshot, U, uuid } from './rounds.ts';

/** What a tenant really is, and what of it each feed has not told since its last deltaLink. */

export const NAMES = ['accountEnabled', 'displayName', 'jobTitle'] as const;
export type Name = (typeof NAMES)[number];
export type Values = Partial<Record<Name, unknown>>;

export interface Thing {
  readonly values: Values;
  readonly life: 'live' | 'soft' | 'gone';
}

export type Operation =
  | { readonly op: 'create'; readonly feed: Feed; readonly n: number; readonly values: Values }
  | { readonly op: 'set'; readonly feed: Feed; readonly n: number; readonly name: Name; readonly value: unknown }
  | { readonly op: 'delete' | 'restore' | 'purge'; readonly feed: Feed; readonly n: number }
  | { readonly op: 'join' | 'leave'; readonly group: number; readonly kind: MemberType; readonly n: number };

export type Things = ReadonlyMap<string, Thing>;

/** What changed since a token, and the directory at the moment of asking. */
export interface Asked {
  readonly things: Things;
  readonly members: ReadonlyMap<string, MemberType>;
  readonly users: Things;
  readonly groups: Things;
  readonly changed: ReadonlyMap<string, ReadonlySet<Name>>;
  /** Of those that were created or restored: what changed besides. No more than that must be told. */
  readonly fresh: ReadonlyMap<string, ReadonlySet<Name>>;
  readonly changedMembers: ReadonlySet<string>;
}

export const idOf = (kind: MemberType, n: number): string =>
  kind === 'user' ? U(n) : kind === 'group' ? G(n) : uuid('d', n);
export const keyOf = (groupId: string, memberId: string): string => `${groupId}:${memberId}`;
export const splitKey = (key: string): readonly [string, string] => {
  const [group = '', member = ''] = key.split(':');
  return [group, member];
};

export class Truth {
  readonly #things: Record<Feed, Map<string, Thing>> = { users: new Map(), groups: new Map() };
  readonly #members = new Map<string, MemberType>();
  readonly #types = new Map<string, MemberType>();
  #changed: Record<Feed, Map<string, Set<Name>>> = { users: new Map(), groups: new Map() };
  #fresh: Record<Feed, Map<string, Set<Name>>> = { users: new Map(), groups: new Map() };
  #changedMembers = new Set<string>();

  /** What delta query says nothing of, unless something else happens to the same thing. */
  doSilently(operation: Operation): void {
    const changed = {
      users: new Map(this.#changed.users),
      groups: new Map(this.#changed.groups),
    };
    const changedMembers = new Set(this.#changedMembers);
    this.do(operation);
    this.#changed = changed;
    this.#changedMembers = changedMembers;
  }

  do(operation: Operation): void {
    if ('group' in operation) this.#member(operation);
    else this.#thing(operation);
  }

  #thing(operation: Exclude<Operation, { op: 'join' | 'leave' }>): void {
    const { feed } = operation;
    const id = feed === 'users' ? U(operation.n) : G(operation.n);
    const thing = this.#things[feed].get(id);
    const put = (life: Thing['life'], values: Values, names: readonly Name[]) => {
      this.#things[feed].set(id, { life, values });
      this.#mark(feed, id, names);
    };
    switch (operation.op) {
      case 'create':
        if (thing) return;
        this.#fresh[feed].set(id, new Set());
        put('live', operation.values, NAMES);
        return;
      case 'set':
        if (thing?.life !== 'live') return;
        this.#fresh[feed].get(id)?.add(operation.name);
        put('live', withValue(thing.values, operation.name, operation.value), [operation.name]);
        return;
      case 'delete':
        if (thing?.life === 'live') put('soft', thing.values, []);
        return;
      case 'restore':
        if (thing?.life !== 'soft') return;
        if (!this.#fresh[feed].has(id)) this.#fresh[feed].set(id, new Set(this.#changed[feed].get(id)));
        put('live', thing.values, NAMES);
        for (const key of this.#members.keys())
          if (feed === 'groups' && splitKey(key)[0] === id) this.#changedMembers.add(key);
        return;
      case 'purge':
        if (!thing || thing.life === 'gone') return;
        put('gone', {}, []);
        for (const key of [...this.#members.keys()]) if (splitKey(key).includes(id)) this.#drop(key);
        return;
    }
  }

  #member({ op, group, kind, n }: Extract<Operation, { op: 'join' | 'leave' }>): void {
    const [groupId, memberId] = [G(group), idOf(kind, n)];
    const alive = (id: string, feed: Feed) => this.#things[feed].get(id)?.life === 'live';
    const known = kind === 'user' ? alive(memberId, 'users') : kind === 'group' ? alive(memberId, 'groups') : true;
    if (!alive(groupId, 'groups') || !known) return;
    const key = keyOf(groupId, memberId);
    if (op === 'leave') {
      if (this.#members.has(key)) this.#drop(key);
      return;
    }
    this.#types.set(key, kind);
    this.#members.set(key, kind);
    this.#changedMembers.add(key);
  }

  #drop(key: string): void {
    this.#members.delete(key);
    this.#changedMembers.add(key);
  }

  #mark(feed: Feed, id: string, names: readonly Name[]): void {
    const before = this.#changed[feed].get(id) ?? new Set();
    this.#changed[feed].set(id, new Set([...before, ...names]));
  }

  typeOf(key: string): MemberType {
    return this.#types.get(key) ?? 'user';
  }

  /** The directory as it is, whoever has heard of it. */
  now(): Pick<Asked, 'users' | 'groups' | 'members'> {
    return { users: this.#things.users, groups: this.#things.groups, members: this.#members };
  }

  /** What anyone may see of it. */
  visible(): Snapshot {
    const { users, groups, members } = this.now();
    const live = (things: Things) =>
      Object.fromEntries(
        Array.from(things).flatMap(([id, { life, values }]) => (life === 'live' ? [[id, values]] : [])),
      );
    return {
      users: live(users),
      groups: live(groups),
      memberships: Object.fromEntries([...members].filter(([key]) => !isSilent(key, { users, groups }))),
    };
  }

  /** What a list of its members, or of its groups, shows. */
  around(id: string): readonly Membership[] {
    return Object.entries(this.visible().memberships).flatMap(([key, memberType]) => {
      const [groupId, memberId] = splitKey(key);
      return [groupId, memberId].includes(id) ? [{ groupId, memberId, memberType }] : [];
    });
  }

  /** The answer to a feed's first request: what is asked for is no longer news, until it is given back. */
  ask(feed: Feed): Asked {
    const asked: Asked = {
      things: new Map(this.#things[feed]),
      users: new Map(this.#things.users),
      groups: new Map(this.#things.groups),
      members: new Map(this.#members),
      changed: this.#changed[feed],
      fresh: this.#fresh[feed],
      changedMembers: feed === 'groups' ? this.#changedMembers : new Set(),
    };
    this.#changed = { ...this.#changed, [feed]: new Map() };
    this.#fresh = { ...this.#fresh, [feed]: new Map() };
    if (feed === 'groups') this.#changedMembers = new Set();
    return asked;
  }

  /**
   * The round did not come to that feed's deltaLink: the next one hears it again, and with it the present value of
   * whatever that round may have said in an older version.
   */
  giveBack(feed: Feed, asked: Asked): void {
    for (const id of asked.changed.keys()) {
      this.#mark(feed, id, NAMES);
      this.#fresh[feed].delete(id);
    }
    this.giveBackMembers(asked.changedMembers);
  }

  giveBackMembers(keys: Iterable<string>): void {
    for (const key of keys) this.#changedMembers.add(key);
  }
}

function withValue(values: Values, name: Name, value: unknown): Values {
  const { [name]: _dropped, ...rest } = values;
  return value === null ? rest : { ...rest, [name]: value };
}

/** Graph says nothing of memberships while the group or the member is soft-deleted. */
export function isSilent(key: string, { users, groups }: Pick<Asked, 'users' | 'groups'>): boolean {
  const [groupId, memberId] = splitKey(key);
  return (
    groups.get(groupId)?.life !== 'live' ||
    users.get(memberId)?.life === 'soft' ||
    groups.get(memberId)?.life === 'soft'
  );
}
