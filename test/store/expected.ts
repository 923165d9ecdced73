import type { DeltaItem, Feed, MemberType } from '../../src/domain/directory.ts';
import type { Delivery } from './delivery.ts';
import type { Snapshot } from './rounds.ts';
import { splitKey, type Values } from './truth.ts';

interface Known {
  readonly values: Values;
  readonly hidden: boolean;
}

/** What the mirror must hold, told round by round, without pages, order, staging or marks. */
export class Expected {
  readonly #known: Record<Feed, Map<string, Known>> = { users: new Map(), groups: new Map() };
  readonly #members = new Map<string, MemberType>();
  /** Who is back, or unknown until now, since the last round that ended: their memberships are looked at, not swept. */
  readonly #lookedAt = new Set<string>();
  #isImported = false;
  #delivered: Delivery[] = [];

  /** What a page leaves behind even if its round never ends: the things and memberships that it made known. */
  sawPage(feed: Feed, items: readonly DeltaItem[]): void {
    for (const item of items) {
      if (item.kind === 'removed') continue;
      const before = this.#known[feed].get(item.id);
      if (this.#isImported && (!before || before.hidden)) this.#lookedAt.add(item.id);
      if (!before) this.#known[feed].set(item.id, { values: {}, hidden: false });
      for (const member of item.members) {
        if (!member.removed) this.#members.set(`${item.id}:${member.memberId}`, member.memberType);
      }
    }
  }

  beganFull(): void {
    this.#delivered = [];
  }

  /** The feed came to its deltaLink; what it said counts when a round ends, this one or the next. */
  delivered(delivery: Delivery): void {
    this.#delivered.push(delivery);
  }

  roundEnded(): void {
    for (const delivery of this.#delivered) this.#applyMembers(delivery);
    for (const feed of ['groups', 'users'] as const) {
      for (const delivery of this.#delivered) if (delivery.feed === feed) this.#applyThings(delivery);
    }
    for (const delivery of this.#delivered)
      if (delivery.kind === 'full' && delivery.feed === 'groups') this.#sweepMembers(delivery);
    this.#delivered = [];
    this.#lookedAt.clear();
    this.#isImported = true;
  }

  #applyMembers({ final }: Delivery): void {
    for (const [key, type] of memberWords(final)) {
      if (type === null) this.#members.delete(key);
      else this.#members.set(key, type);
    }
  }

  #applyThings({ feed, kind, asked, final }: Delivery): void {
    const known = this.#known[feed];
    const seen = new Set<string>();
    for (const item of final) {
      if (item.kind === 'object') {
        seen.add(item.id);
        known.set(item.id, { values: asked.things.get(item.id)?.values ?? {}, hidden: false });
      } else this.#remove(feed, item.id, item.reason);
    }
    if (kind === 'delta') return;
    for (const [id, thing] of known) if (!seen.has(id)) known.set(id, { ...thing, hidden: true });
  }

  #remove(feed: Feed, id: string, reason: 'changed' | 'deleted'): void {
    // Known or not: what is soft-deleted hides its memberships, what is gone takes them along.
    if (reason === 'changed') {
      this.#known[feed].set(id, { values: {}, ...this.#known[feed].get(id), hidden: true });
      return;
    }
    this.#known[feed].delete(id);
    for (const key of [...this.#members.keys()]) if (splitKey(key).includes(id)) this.#members.delete(key);
  }

  #sweepMembers({ final }: Delivery): void {
    const seen = memberWords(final);
    for (const key of [...this.#members.keys()])
      if (!seen.has(key) && !this.#isHidden(key) && !this.#isLookedAt(key)) this.#members.delete(key);
  }

  #isLookedAt(key: string): boolean {
    return splitKey(key).some((id) => this.#lookedAt.has(id));
  }

  #isHidden(key: string): boolean {
    const { users, groups } = this.#known;
    return splitKey(key).some((id) => users.get(id)?.hidden || groups.get(id)?.hidden);
  }

  snapshot(): Snapshot {
    const visible = (feed: Feed) =>
      Object.fromEntries(
        Array.from(this.#known[feed]).flatMap(([id, { values, hidden }]) => (hidden ? [] : [[id, values]])),
      );
    return {
      users: visible('users'),
      groups: visible('groups'),
      memberships: Object.fromEntries(Array.from(this.#members).filter(([key]) => !this.#isHidden(key))),
    };
  }
}

function memberWords(items: readonly DeltaItem[]): ReadonlyMap<string, MemberType | null> {
  return new Map(
    items.flatMap((item) =>
      item.kind === 'removed'
        ? []
        : item.members.map(
            (member) => [`${item.id}:${member.memberId}`, member.removed ? null : member.memberType] as const,
          ),
    ),
  );
}
