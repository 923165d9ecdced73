import type { DirectoryRecord } from '../directory/directory-record.ts';
import type { Directory } from '../directory/directory.ts';
import { indexOf, kindOf, type ObjectKind, type ObjectRef } from '../directory/object-ref.ts';
import type { RelationEntry } from './delta-items.ts';
import type { Tracked } from './delta-query.ts';

/** One appearance of an object in a round of changes. A group with many changed members appears several times. */
export interface ChangeItem {
  readonly ref: ObjectRef;
  readonly whole: boolean;
  readonly touched: ReadonlySet<string>;
  readonly members: readonly RelationEntry[];
  readonly manager: readonly RelationEntry[];
  /** The version before the round's first change, where there was one. */
  readonly older: DirectoryRecord | undefined;
}

interface Folded {
  readonly ref: ObjectRef;
  readonly touched: Set<string>;
  readonly members: Map<ObjectRef, boolean>;
  deleted: boolean;
  whole: boolean;
  relist: boolean;
  oldManager: ObjectRef | undefined;
  older: DirectoryRecord | undefined;
}

interface Limits {
  readonly sliceSize: number;
  readonly relistMembersOnRestore: boolean;
}

/** Everything that a round from place `from` to place `to` of the change log has to tell, in the order of last change. */
export function changesBetween(
  directory: Directory,
  kind: ObjectKind,
  from: number,
  to: number,
  tracked: Tracked,
  ids: readonly string[] | undefined,
  limits: Limits,
): ChangeItem[] {
  const wanted = ids === undefined ? undefined : new Set(ids.map((id) => directory.find(id)));
  const items: ChangeItem[] = [];
  for (const folded of fold(directory, kind, from, to).values()) {
    if (wanted !== undefined && !wanted.has(folded.ref)) continue;
    items.push(...itemsOf(directory, folded, tracked, limits));
  }
  return items;
}

function fold(directory: Directory, kind: ObjectKind, from: number, to: number): Map<ObjectRef, Folded> {
  const all = new Map<ObjectRef, Folded>();
  for (const change of directory.log.between(from, to)) {
    if (kindOf(change.ref) !== kind) continue;
    const known = all.get(change.ref);
    const folded = known ?? emptyFold(change.ref);
    // Deleting and setting again moves the object to the end: the order is that of the last change.
    if (known !== undefined) all.delete(change.ref);
    all.set(change.ref, folded);
    for (const name of change.properties) folded.touched.add(name);
    folded.older ??= folded.whole ? undefined : change.before;
    switch (change.kind) {
      case 'created':
        folded.whole = true;
        break;
      case 'restored':
        folded.whole = true;
        folded.relist = true;
        break;
      case 'softDeleted':
      case 'purged':
        folded.deleted = true;
        break;
      case 'memberAdded':
      case 'memberRemoved':
        if (change.other !== undefined) folded.members.set(change.other, change.kind === 'memberAdded');
        break;
      case 'managerChanged':
        folded.oldManager ??= change.other;
        break;
      default:
        break;
    }
  }
  return all;
}

function emptyFold(ref: ObjectRef): Folded {
  return {
    ref,
    touched: new Set(),
    members: new Map(),
    deleted: false,
    whole: false,
    relist: false,
    oldManager: undefined,
    older: undefined,
  };
}

function itemsOf(directory: Directory, folded: Folded, tracked: Tracked, limits: Limits): ChangeItem[] {
  const { ref } = folded;
  const touched = new Set([...folded.touched].filter((name) => tracked.propertySet.has(name)));
  const base = { ref, whole: folded.whole, touched, older: folded.older };
  if (!directory.isLive(ref)) return [{ ...base, members: [], manager: [] }];
  const members = tracked.members ? memberEntries(directory, folded, limits) : [];
  const manager = tracked.manager && folded.touched.has('manager') ? managerEntries(directory, folded) : [];
  const concerns = folded.whole || touched.size > 0 || members.length > 0 || manager.length > 0 || folded.deleted;
  if (!concerns) return [];
  const items: ChangeItem[] = [{ ...base, manager, members: members.slice(0, limits.sliceSize) }];
  for (let at = limits.sliceSize; at < members.length; at += limits.sliceSize) {
    items.push({ ...base, manager: [], older: undefined, members: members.slice(at, at + limits.sliceSize) });
  }
  return items;
}

function memberEntries(directory: Directory, folded: Folded, limits: Limits): RelationEntry[] {
  const entries = new Map(folded.members);
  if (folded.relist && limits.relistMembersOnRestore) {
    for (const member of directory.memberships.membersOf(indexOf(folded.ref))) {
      if (directory.isLive(member)) entries.set(member, true);
    }
  }
  return [...entries].map(([ref, added]) => ({ ref, removed: !added }));
}

function managerEntries(directory: Directory, folded: Folded): RelationEntry[] {
  const manager = directory.managerOf(folded.ref);
  if (manager !== undefined) return [{ ref: manager, removed: false }];
  return folded.oldManager === undefined ? [] : [{ ref: folded.oldManager, removed: true }];
}
