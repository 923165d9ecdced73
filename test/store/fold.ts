import { expect } from '@jest/globals';
import type { Attributes, MemberType } from '../../src/domain/directory.ts';
import type { FeedEvent } from '../../src/domain/event.ts';
import type { Snapshot } from './rounds.ts';

/** A reader of the feed: a snapshot, then every event after it, each of which must be a real difference. */
export class Reader {
  readonly #users: Map<string, Attributes>;
  readonly #groups: Map<string, Attributes>;
  readonly #memberships: Map<string, MemberType>;

  constructor(snapshot: Snapshot) {
    this.#users = new Map(Object.entries(snapshot.users));
    this.#groups = new Map(Object.entries(snapshot.groups));
    this.#memberships = new Map(Object.entries(snapshot.memberships));
  }

  read(event: FeedEvent): void {
    const [kind, what] = event.type.split('.');
    if (kind === 'membership') this.#readMembership(event, what === 'added');
    if (kind === 'user') this.#readObject(event, this.#users, what ?? '');
    if (kind === 'group') this.#readObject(event, this.#groups, what ?? '');
  }

  #readObject(event: FeedEvent, objects: Map<string, Attributes>, what: string): void {
    const { id } = event.subject;
    const before = objects.get(id);
    const data = withoutNulls(event.data as Attributes);
    const around = [...this.#memberships.keys()].filter((key) => key.split(':')[0] === id);
    // Of who is gone for good by now, only the id is left in what was told before.
    const blank = event.reason === 'purge';
    if (what === 'updated' && blank) return;
    if (what === 'updated') {
      expect(before).toBeDefined();
      const changed = Object.entries(event.changed ?? {});
      expect(changed).not.toEqual([]);
      for (const [name, [from, to]] of changed) {
        expect([name, before?.[name] ?? null, data[name] ?? null]).toEqual([name, from, to]);
        expect(from).not.toEqual(to);
      }
      expect({ ...before, ...Object.fromEntries(changed.map(([name]) => [name, data[name]])) }).toEqual(data);
    } else if (what === 'deleted') {
      if (Object.keys(event.data as object).length > 1) expect(before).toEqual(data);
      expect([...around, ...[...this.#memberships.keys()].filter((key) => key.split(':')[1] === id)]).toEqual([]);
    } else {
      expect(['created', 'restored']).toContain(what);
      expect(before).toBeUndefined();
    }
    if (what === 'deleted') objects.delete(id);
    else objects.set(id, data);
  }

  #readMembership(event: FeedEvent, added: boolean): void {
    const { groupId, memberId, memberType } = event.data as Record<string, string>;
    const key = `${groupId}:${memberId}`;
    expect(event.subject.id).toBe(key);
    expect([key, this.#memberships.has(key)]).toEqual([key, !added]);
    expect([key, this.#groups.has(groupId ?? '')]).toEqual([key, true]);
    if (added) this.#memberships.set(key, memberType as MemberType);
    else this.#memberships.delete(key);
  }

  snapshot(): Snapshot {
    return {
      users: Object.fromEntries(this.#users),
      groups: Object.fromEntries(this.#groups),
      memberships: Object.fromEntries(this.#memberships),
    };
  }
}

function withoutNulls({ id: _id, ...data }: Attributes): Attributes {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
}
