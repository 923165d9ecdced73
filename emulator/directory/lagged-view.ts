import type { DirectoryRecord, ObjectStatus } from './directory-record.ts';
import type { Directory } from './directory.ts';
import { indexOf, type ObjectRef } from './object-ref.ts';

/** What a read of the directory needs to know of an object, now or at an earlier moment. */
export interface DirectoryView {
  status(ref: ObjectRef): ObjectStatus;
  record(ref: ObjectRef): DirectoryRecord;
  isMember(group: ObjectRef, member: ObjectRef): boolean;
  /** Members of a group, soft-deleted ones included. */
  members(group: ObjectRef): Iterable<ObjectRef>;
  groupsOf(member: ObjectRef): readonly number[];
}

interface Past {
  readonly status: ObjectStatus;
  readonly record: DirectoryRecord | undefined;
}

/**
 * The directory as it was some time ago. Reads and lists of Graph may be answered by a replica that lags, while delta
 * query is current; this rebuilds the lagging replica by undoing the few changes since, newest first.
 */
export class LaggedView implements DirectoryView {
  readonly #directory: Directory;
  readonly #past = new Map<ObjectRef, Past>();
  readonly #members = new Map<ObjectRef, Map<ObjectRef, boolean>>();

  constructor(directory: Directory, moment: number) {
    this.#directory = directory;
    for (const change of directory.log.newerThan(moment)) {
      if (change.kind === 'memberAdded' || change.kind === 'memberRemoved') {
        if (change.other === undefined) continue;
        const group = this.#members.get(change.ref) ?? new Map<ObjectRef, boolean>();
        group.set(change.other, change.kind === 'memberRemoved');
        this.#members.set(change.ref, group);
      } else {
        const record = change.before ?? this.#past.get(change.ref)?.record;
        this.#past.set(change.ref, { status: change.statusBefore, record });
      }
    }
  }

  status(ref: ObjectRef): ObjectStatus {
    return this.#past.get(ref)?.status ?? this.#directory.status(ref);
  }

  record(ref: ObjectRef): DirectoryRecord {
    return this.#past.get(ref)?.record ?? this.#directory.record(ref);
  }

  isMember(group: ObjectRef, member: ObjectRef): boolean {
    return this.#members.get(group)?.get(member) ?? this.#directory.memberships.has(indexOf(group), member);
  }

  *members(group: ObjectRef): Generator<ObjectRef> {
    const undone = this.#members.get(group);
    for (const member of this.#directory.memberships.membersOf(indexOf(group))) {
      if (undone?.get(member) !== false) yield member;
    }
    for (const [member, was] of undone ?? []) {
      if (was && !this.#directory.memberships.has(indexOf(group), member)) yield member;
    }
  }

  groupsOf(member: ObjectRef): readonly number[] {
    const groups = new Set(this.#directory.memberships.groupsOf(member));
    for (const [group, undone] of this.#members) {
      const was = undone.get(member);
      if (was === true) groups.add(indexOf(group));
      if (was === false) groups.delete(indexOf(group));
    }
    return [...groups];
  }
}

/** The directory as it is. */
export function currentView(directory: Directory): DirectoryView {
  return {
    status: (ref) => directory.status(ref),
    record: (ref) => directory.record(ref),
    isMember: (group, member) => directory.memberships.has(indexOf(group), member),
    members: (group) => directory.memberships.membersOf(indexOf(group)),
    groupsOf: (member) => directory.memberships.groupsOf(member),
  };
}
