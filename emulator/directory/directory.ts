import type { Clock } from '../clock.ts';
import { ChangeLog, type Change, type ChangeKind } from './change-log.ts';
import { textOf, type DirectoryRecord, type Json, type ObjectStatus } from './directory-record.ts';
import { Memberships, type GeneratedMembers } from './memberships.ts';
import { ObjectIds } from './object-ids.ts';
import { indexOf, kindOf, refOf, type ObjectKind, type ObjectRef } from './object-ref.ts';

/** A generated directory: nothing of it is stored but its memberships, a record is computed when it is asked for. */
export interface Population {
  readonly seed: number;
  readonly sizes: Readonly<Record<ObjectKind, number>>;
  record(ref: ObjectRef, id: string): DirectoryRecord;
  managerOf(userIndex: number): number | undefined;
  readonly members: GeneratedMembers;
}

type Patch = Readonly<Record<string, Json>>;

/** The directory of one tenant: a generated population, what was changed since, and the log of those changes. */
export class Directory {
  readonly log = new ChangeLog();
  readonly memberships: Memberships;
  readonly ids: ObjectIds;
  readonly #population: Population;
  readonly #clock: Clock;
  readonly #sizes: Record<ObjectKind, number>;
  readonly #records = new Map<ObjectRef, DirectoryRecord>();
  readonly #statuses = new Map<ObjectRef, ObjectStatus>();
  readonly #managers = new Map<ObjectRef, ObjectRef | undefined>();
  readonly #principalNames = new Map<string, ObjectRef>();
  readonly #notLive: Record<ObjectKind, number>;
  readonly #listeners: ((change: Change) => void)[] = [];

  constructor(population: Population, clock: Clock) {
    this.#population = population;
    this.#clock = clock;
    this.#sizes = { ...population.sizes };
    this.#notLive = { user: 0, group: 0, device: 0, servicePrincipal: 0, orgContact: 0 };
    this.memberships = new Memberships(population.members);
    this.ids = new ObjectIds(population.seed);
  }

  /** Calls back after every change; change notifications and caches hang on this. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** The number of places of a kind, deleted objects included: places are never reused. */
  size(kind: ObjectKind): number {
    return this.#sizes[kind];
  }

  liveCount(kind: ObjectKind): number {
    return this.#sizes[kind] - this.#notLive[kind];
  }

  status(ref: ObjectRef): ObjectStatus {
    return this.#statuses.get(ref) ?? 'live';
  }

  isLive(ref: ObjectRef): boolean {
    return !this.#statuses.has(ref);
  }

  idOf(ref: ObjectRef): string {
    return this.ids.idOf(ref);
  }

  /** The object with an id, whatever its status; undefined for an id that was never given. */
  find(id: string): ObjectRef | undefined {
    const ref = this.ids.refOf(id);
    return ref !== undefined && indexOf(ref) < this.#sizes[kindOf(ref)] ? ref : undefined;
  }

  record(ref: ObjectRef): DirectoryRecord {
    return this.#records.get(ref) ?? this.#population.record(ref, this.idOf(ref));
  }

  *live(kind: ObjectKind, from = 0): Generator<ObjectRef> {
    for (let index = from; index < this.#sizes[kind]; index += 1) {
      const ref = refOf(kind, index);
      if (this.isLive(ref)) yield ref;
    }
  }

  *withStatus(kind: ObjectKind, status: ObjectStatus): Generator<ObjectRef> {
    for (const [ref, is] of this.#statuses) if (is === status && kindOf(ref) === kind) yield ref;
  }

  /** A live user by principal name, compared without case. */
  findByPrincipalName(name: string): ObjectRef | undefined {
    const wanted = name.toLowerCase();
    const changed = this.#principalNames.get(wanted);
    if (changed !== undefined && this.#hasName(changed, wanted)) return changed;
    // A generated name ends in the user's place, so no index of names is needed.
    const digits = /(\d+)(?=@|_)/.exec(wanted)?.[1];
    if (digits === undefined) return undefined;
    const ref = refOf('user', Number(digits));
    return Number(digits) < this.#sizes.user && this.#hasName(ref, wanted) ? ref : undefined;
  }

  managerOf(user: ObjectRef): ObjectRef | undefined {
    const manager = this.#managers.has(user) ? this.#managers.get(user) : this.#generatedManager(user);
    return manager !== undefined && this.isLive(manager) ? manager : undefined;
  }

  create(kind: ObjectKind, properties: Patch, id?: string): ObjectRef {
    const ref = refOf(kind, this.#sizes[kind]);
    this.#sizes[kind] += 1;
    if (id !== undefined) this.ids.give(ref, id);
    // Devices, contacts and service principals have no such property in v1.0.
    const born = kind === 'user' || kind === 'group' ? { createdDateTime: this.isoNow() } : {};
    this.#put(ref, { ...born, ...withoutNulls(properties), id: this.idOf(ref) });
    this.#log('created', ref, { statusBefore: 'purged' });
    return ref;
  }

  /** Sets properties; null clears one. Properties that keep their value are no change. */
  update(ref: ObjectRef, patch: Patch): readonly string[] {
    const before = this.record(ref);
    const touched = Object.keys(patch).filter(
      (name) => name !== 'id' && JSON.stringify(patch[name]) !== JSON.stringify(before[name] ?? null),
    );
    if (touched.length === 0) return touched;
    const changes = Object.fromEntries(touched.map((name) => [name, patch[name] ?? null]));
    this.#put(ref, { ...before, ...changes, id: before.id });
    this.#log('updated', ref, { properties: touched, before });
    return touched;
  }

  setManager(user: ObjectRef, manager: ObjectRef | undefined): void {
    const other = this.managerOf(user);
    if (other === manager) return;
    this.#managers.set(user, manager);
    this.#log('managerChanged', user, { properties: ['manager'], other });
  }

  /** Users and cloud groups stay 30 days in the deleted items; other kinds are gone at once (reference, 3.8). */
  delete(ref: ObjectRef): void {
    if (!this.isLive(ref)) return;
    if (!this.isSoftDeletable(ref)) {
      this.purge(ref);
      return;
    }
    const before = this.record(ref);
    this.#setStatus(ref, 'softDeleted');
    this.#records.set(ref, { ...before, deletedDateTime: this.isoNow() });
    this.#log('softDeleted', ref, { before, statusBefore: 'live' });
  }

  isSoftDeletable(ref: ObjectRef): boolean {
    const kind = kindOf(ref);
    if (kind === 'user' || kind === 'servicePrincipal') return true;
    if (kind !== 'group') return false;
    const record = this.record(ref);
    const unified = Array.isArray(record['groupTypes']) && record['groupTypes'].includes('Unified');
    return unified || record['mailEnabled'] !== true;
  }

  /** Gone for ever; only now its memberships go, which groups/delta then tells. */
  purge(ref: ObjectRef): void {
    const statusBefore = this.status(ref);
    if (statusBefore === 'purged') return;
    const before = this.record(ref);
    this.#setStatus(ref, 'purged');
    this.#log('purged', ref, { before, statusBefore });
    for (const group of this.memberships.groupsOf(ref)) this.removeMember(refOf('group', group), ref);
  }

  restore(ref: ObjectRef): boolean {
    if (this.status(ref) !== 'softDeleted') return false;
    const before = this.record(ref);
    this.#setStatus(ref, 'live');
    const restored: Record<string, Json> & { id: string } = { ...before };
    delete restored['deletedDateTime'];
    this.#put(ref, restored);
    this.#log('restored', ref, { before, statusBefore: 'softDeleted' });
    return true;
  }

  addMember(group: ObjectRef, member: ObjectRef): boolean {
    if (!this.memberships.add(indexOf(group), member)) return false;
    this.#log('memberAdded', group, { other: member });
    return true;
  }

  removeMember(group: ObjectRef, member: ObjectRef): boolean {
    if (!this.memberships.remove(indexOf(group), member)) return false;
    this.#log('memberRemoved', group, { other: member });
    return true;
  }

  isoNow(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z');
  }

  #hasName(ref: ObjectRef, wanted: string): boolean {
    return this.isLive(ref) && textOf(this.record(ref), 'userPrincipalName')?.toLowerCase() === wanted;
  }

  #generatedManager(user: ObjectRef): ObjectRef | undefined {
    if (indexOf(user) >= this.#population.sizes.user) return undefined;
    const manager = this.#population.managerOf(indexOf(user));
    return manager === undefined ? undefined : refOf('user', manager);
  }

  #put(ref: ObjectRef, record: DirectoryRecord): void {
    this.#records.set(ref, record);
    const name = textOf(record, 'userPrincipalName');
    if (name !== undefined) this.#principalNames.set(name.toLowerCase(), ref);
  }

  #setStatus(ref: ObjectRef, status: ObjectStatus): void {
    const wasLive = this.isLive(ref);
    if (status === 'live') this.#statuses.delete(ref);
    else this.#statuses.set(ref, status);
    const isLive = status === 'live';
    if (wasLive !== isLive) this.#notLive[kindOf(ref)] += isLive ? -1 : 1;
  }

  #log(kind: ChangeKind, ref: ObjectRef, more: Partial<Omit<Change, 'seq' | 'at' | 'kind' | 'ref'>>): void {
    const entry = { at: this.#clock.now(), kind, ref, properties: [], statusBefore: this.status(ref), ...more };
    const change = this.log.append(entry);
    for (const listener of this.#listeners) listener(change);
  }
}

function withoutNulls(properties: Patch): Patch {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null));
}
