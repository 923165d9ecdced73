import type { Attributes, DeltaItem, Membership, MemberType, RemovalReason } from './directory.ts';

/** What a page comes to: of everything that it says several times, the last word. */
export interface FoldedPage {
  readonly objects: readonly FoldedObject[];
  readonly removed: readonly { readonly id: string; readonly reason: RemovalReason }[];
  readonly joined: readonly Membership[];
  readonly left: readonly { readonly groupId: string; readonly memberId: string }[];
}

export interface FoldedObject {
  readonly id: string;
  /** Attributes with a value. */
  readonly data: Attributes;
  /** Attributes that came as null: no longer set. */
  readonly cleared: readonly string[];
  /** Attributes, of those that were asked for whole, which stay as they are: neither here nor never set. */
  readonly kept?: readonly string[];
  /** False where the page also says, later, that the object is removed. */
  readonly present: boolean;
}

interface Fold {
  readonly attributes: Map<string, Attributes>;
  readonly removed: Map<string, RemovalReason>;
  readonly members: Map<string, Map<string, MemberType | null>>;
}

/** Folds the items of a page in the order of their arrival; later keys win over earlier ones. */
export function foldPage(items: readonly DeltaItem[]): FoldedPage {
  const fold: Fold = { attributes: new Map(), removed: new Map(), members: new Map() };
  for (const item of items) foldItem(fold, item);
  return {
    objects: Array.from(fold.attributes, ([id, attributes]) => splitNulls(id, attributes, !fold.removed.has(id))),
    removed: Array.from(fold.removed, ([id, reason]) => ({ id, reason })),
    ...lastWords(fold.members),
  };
}

function foldItem(fold: Fold, item: DeltaItem): void {
  // Ids are compared as text here and as values in the database: one spelling of each.
  const id = item.id.toLowerCase();
  if (item.kind === 'removed') {
    // Nothing comes back from `deleted` but by a plain object.
    if (fold.removed.get(id) !== 'deleted') fold.removed.set(id, item.reason);
    return;
  }
  const before = fold.attributes.get(id);
  fold.attributes.set(id, before ? { ...before, ...item.attributes } : item.attributes);
  fold.removed.delete(id);
  if (item.members.length === 0) return;
  const members = fold.members.get(id) ?? new Map<string, MemberType | null>();
  fold.members.set(id, members);
  for (const { memberId, memberType, removed } of item.members) {
    members.set(memberId.toLowerCase(), removed ? null : memberType);
  }
}

function splitNulls(id: string, attributes: Attributes, present: boolean): FoldedObject {
  const cleared = Object.keys(attributes).filter((name) => attributes[name] === null);
  if (cleared.length === 0) return { id, data: attributes, cleared, present };
  const data = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null));
  return { id, data, cleared, present };
}

function lastWords(groups: Fold['members']): Pick<FoldedPage, 'joined' | 'left'> {
  const joined: Membership[] = [];
  const left: { groupId: string; memberId: string }[] = [];
  for (const [groupId, members] of groups) {
    for (const [memberId, memberType] of members) {
      if (memberType === null) left.push({ groupId, memberId });
      else joined.push({ groupId, memberId, memberType });
    }
  }
  return { joined, left };
}
