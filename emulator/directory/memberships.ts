import type { ObjectRef } from './object-ref.ts';

/** Generated memberships: group g has the members `refs[starts[g]] … refs[starts[g + 1] - 1]`. */
export interface GeneratedMembers {
  readonly starts: Uint32Array;
  readonly refs: Uint32Array;
}

/**
 * The members of a group that was changed. Places are never reused: a removal leaves a hole, so that a listing that goes
 * on from a place neither skips nor repeats a member because of a removal meanwhile.
 */
interface ChangedGroup {
  readonly places: (ObjectRef | undefined)[];
  readonly placeOf: Map<ObjectRef, number>;
}

/** Who is a direct member of which group, including members that are soft-deleted at the moment. */
export class Memberships {
  readonly #generated: GeneratedMembers;
  readonly #changed = new Map<number, ChangedGroup>();
  readonly #addedTo = new Map<ObjectRef, Set<number>>();
  #generatedGroupsOf: Map<ObjectRef, number[]> | undefined;

  constructor(generated: GeneratedMembers) {
    this.#generated = generated;
  }

  /** The number of places of a group; a place may be a hole. */
  places(group: number): number {
    const changed = this.#changed.get(group);
    if (changed !== undefined) return changed.places.length;
    return this.#end(group) - this.#start(group);
  }

  /** The member at a place of a group, or undefined for a hole. */
  at(group: number, place: number): ObjectRef | undefined {
    const changed = this.#changed.get(group);
    if (changed !== undefined) return changed.places[place];
    return this.#generated.refs[this.#start(group) + place];
  }

  *membersOf(group: number): Generator<ObjectRef> {
    const count = this.places(group);
    for (let place = 0; place < count; place += 1) {
      const member = this.at(group, place);
      if (member !== undefined) yield member;
    }
  }

  has(group: number, member: ObjectRef): boolean {
    const changed = this.#changed.get(group);
    if (changed !== undefined) return changed.placeOf.has(member);
    for (const other of this.membersOf(group)) if (other === member) return true;
    return false;
  }

  /** False when it was a member already. */
  add(group: number, member: ObjectRef): boolean {
    const changed = this.#change(group);
    if (changed.placeOf.has(member)) return false;
    changed.placeOf.set(member, changed.places.length);
    changed.places.push(member);
    const groups = this.#addedTo.get(member) ?? new Set();
    groups.add(group);
    this.#addedTo.set(member, groups);
    return true;
  }

  /** False when it was no member. */
  remove(group: number, member: ObjectRef): boolean {
    const changed = this.#change(group);
    const place = changed.placeOf.get(member);
    if (place === undefined) return false;
    changed.places[place] = undefined;
    changed.placeOf.delete(member);
    return true;
  }

  /** The groups that an object is a direct member of. */
  groupsOf(member: ObjectRef): number[] {
    const candidates = new Set(this.#generatedIndex().get(member));
    for (const group of this.#addedTo.get(member) ?? []) candidates.add(group);
    return [...candidates].filter((group) => {
      const changed = this.#changed.get(group);
      return changed === undefined || changed.placeOf.has(member);
    });
  }

  #start(group: number): number {
    return this.#generated.starts[group] ?? this.#generated.refs.length;
  }

  #end(group: number): number {
    return this.#generated.starts[group + 1] ?? this.#generated.refs.length;
  }

  #change(group: number): ChangedGroup {
    const known = this.#changed.get(group);
    if (known !== undefined) return known;
    const places: (ObjectRef | undefined)[] = [...this.membersOf(group)];
    const placeOf = new Map<ObjectRef, number>();
    places.forEach((member, place) => {
      if (member !== undefined) placeOf.set(member, place);
    });
    const changed = { places, placeOf };
    this.#changed.set(group, changed);
    return changed;
  }

  /** Made at the first question, because most runs never ask. */
  #generatedIndex(): Map<ObjectRef, number[]> {
    if (this.#generatedGroupsOf !== undefined) return this.#generatedGroupsOf;
    const index = new Map<ObjectRef, number[]>();
    const groups = this.#generated.starts.length - 1;
    for (let group = 0; group < groups; group += 1) {
      for (let i = this.#start(group); i < this.#end(group); i += 1) {
        const member = this.#generated.refs[i] ?? 0;
        const list = index.get(member);
        if (list === undefined) index.set(member, [group]);
        else list.push(group);
      }
    }
    this.#generatedGroupsOf = index;
    return index;
  }
}
